import { describe } from "../../engine/check/arguments.ts";
import { EngineError } from "../../engine/errors.ts";
import type { OnNotice } from "../../engine/notice.ts";
import type { BarkTokenizer } from "./tokenizer.ts";

/** BERT's words: special tokens, single ideographs and punctuation marks, and runs of other characters. */
const words = /\[[A-Z]{3,4}\]|\p{Script=Han}|[\p{P}$+<=>^`|~]|[^\s\p{Script=Han}\p{P}$+<=>^`|~]+/gu;
/** What comes into a text by mistake, such as a wrong encoding; marks of layout (Cf) are left out without a word. */
const strays = /(?![\t\n\r])[\p{Cc}\p{Co}\p{Cs}\ufffd]/gu;
const mostShown = 5;

/**
 * Reports once what will not be heard: an empty text, words outside the vocabulary, characters that the tokenizer leaves
 * out, and the part that is cut.
 * @param rows ids of the texts. @param limit most ids of each that are kept.
 * @throws EngineError `usage` for a text with nothing to hear.
 */
export function tellOfTexts(
  tokenizer: BarkTokenizer,
  texts: readonly string[],
  rows: readonly number[][],
  limit: number,
  notice: OnNotice,
): void {
  const isUnknown = (id: number): boolean => id === tokenizer.unk_token_id;
  for (const [i, ids] of rows.entries())
    if (texts[i] !== "" && ids.every(isUnknown)) throw unspeakable(texts, i, ids.length === 0);
  if (texts.includes("")) notice("a text is empty: what the model speaks then is up to chance");
  const strange = texts.filter((_, i) => rows[i].some(isUnknown)).flatMap((text) => text.match(words) ?? []);
  const unknown = [...new Set(strange)].filter((word) => tokenizer.encode(word).some(isUnknown));
  if (unknown.length > 0)
    notice(`not in the vocabulary of the checkpoint, and not spoken as written: ${listed(unknown)}`);
  const stray = [...new Set(texts.flatMap((text) => text.match(strays) ?? []))];
  const lost = stray.filter((character) => tokenizer.encode(character).length === 0);
  if (lost.length > 0) notice(`left out, for they are not letters or marks: ${shownOf(lost.map(codePoint))}`);
  const cut = texts.filter((_, i) => rows[i].length > limit);
  if (cut.length > 0) notice(cutLine(tokenizer, cut, limit));
}

function unspeakable(texts: readonly string[], i: number, isBlank: boolean): EngineError {
  return new EngineError("usage", isBlank ? "holds nothing to speak" : "holds no word of the checkpoint's vocabulary", {
    where: texts.length === 1 ? "text" : `text[${i}]`,
    actual: describe(texts[i]),
    fix: isBlank ? "give words" : "write it in letters that the checkpoint knows, or use another checkpoint",
  });
}

function listed(items: readonly string[]): string {
  return shownOf(items.map((word) => JSON.stringify(startOf(word, 20))));
}

function shownOf(items: readonly string[]): string {
  return `${items.slice(0, mostShown).join(", ")}${items.length > mostShown ? `, … (${items.length})` : ""}`;
}

const codePoint = (character: string): string =>
  `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;

function cutLine(tokenizer: BarkTokenizer, [text, ...others]: readonly string[], limit: number): string {
  const { tokens, kept, lost } = tokenizer.truncation(text, limit)!;
  const more = others.length === 0 ? "" : ` (${others.length + 1} texts of the batch are cut)`;
  return (
    `the text has ${tokens} tokens, of which ${limit} are kept: it ends after ${JSON.stringify(endOf(kept, 40))}; ` +
    `left out: ${JSON.stringify(startOf(lost, 40))}${more}`
  );
}

// By code points: half an emoji would show as an escape. Only the shown part of a long text is split.
function startOf(text: string, length: number): string {
  const points = [...text.slice(0, 2 * length + 2)];
  return points.length > length ? `${points.slice(0, length).join("")}…` : text;
}

function endOf(text: string, length: number): string {
  const points = [...text.slice(-2 * length - 2)];
  return points.length > length ? `…${points.slice(-length).join("")}` : text;
}
