import { EngineError } from "../../engine/errors.ts";
import { wrongArgument } from "../../engine/check/arguments.ts";

/** One row of a batch: words, or a text as one, and a second text after it. */
export interface TextRow {
  readonly words: readonly string[];
  readonly pair?: readonly string[] | undefined;
}

export interface TextRows {
  readonly rows: readonly TextRow[];
  /** Whether a list was given: one text alone becomes plain lists without an axis of the batch. */
  readonly isBatch: boolean;
}

/** A text; a list is a batch, in which a list of two texts is a text and its pair. Words: a list, or a list of lists. */
export type TextInput = string | readonly (string | readonly string[])[];

const isText = (value: unknown): value is string => typeof value === "string";
const isWords = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);
const isPair = (value: unknown): boolean => isWords(value) && value.length === 2;

/**
 * The rows that texts and their pairs are, as transformers' tokenizer tells a batch from one text.
 * @throws EngineError `usage`.
 */
export function readTexts(text: unknown, pair: unknown, isSplit: boolean): TextRows {
  const isBatch = Array.isArray(text) && (!isSplit || Array.isArray(text[0]));
  const seconds = readPairs(pair, isBatch ? (text as unknown[]).length : undefined);
  const read = (value: unknown, second: unknown): TextRow => (isSplit ? splitRow : wholeRow)(value, second);
  if (!isBatch) return { rows: [read(text, seconds?.[0])], isBatch };
  const texts = text as unknown[];
  if (texts.length === 0) throw wrongText("text", text);
  return { rows: texts.map((item, row) => read(item, seconds?.[row])), isBatch };
}

/** @param rows of a batch; undefined: one text, whose pair is nothing if it is empty. */
function readPairs(pair: unknown, rows: number | undefined): unknown[] | undefined {
  if (pair === undefined) return undefined;
  const isNothing = rows === undefined && (pair === "" || (Array.isArray(pair) && pair.length === 0));
  if (rows === undefined) return isNothing ? undefined : [pair];
  if (Array.isArray(pair) && pair.length === rows) return pair as unknown[];
  throw new EngineError("usage", "must be a list as long as text", {
    where: "text_pair",
    expected: `${rows} texts`,
    actual: Array.isArray(pair) ? pair.length : `a ${typeof pair}`,
  });
}

function wholeRow(value: unknown, pair: unknown): TextRow {
  const [words, second] = isPair(value) && pair === undefined ? (value as string[]) : [value, pair];
  if (!isText(words)) throw wrongText("text", value);
  if (second !== undefined && !isText(second)) throw wrongArgument("text_pair", "a text for each text", second);
  return { words: [words], pair: second === undefined ? undefined : [second] };
}

function splitRow(value: unknown, pair: unknown): TextRow {
  if (!isWords(value))
    throw wrongArgument("text", "with is_split_into_words a list of words, or a list of such lists", value);
  if (pair !== undefined && !isWords(pair))
    throw wrongArgument("text_pair", "with is_split_into_words a list of words for each text", pair);
  return { words: value, pair };
}

function wrongText(name: string, value: unknown): EngineError {
  return wrongArgument(name, "a string or a list of at least one string (or pair of strings)", value);
}
