import { EngineError } from "../../engine/errors.ts";
import type { Offset } from "./offsets.ts";
import type { TextRow } from "./text_rows.ts";
import type { BarkTokenizer } from "./tokenizer.ts";

/** What is cut where the texts of a row have more ids than there is room for, by the names of transformers. */
export type TruncationStrategy = "longest_first" | "only_first" | "only_second" | "do_not_truncate";

export interface EncodingOptions {
  readonly max_length: number;
  readonly truncation: TruncationStrategy;
  readonly add_special_tokens: boolean;
  /** Offsets cost a walk over the text. */
  readonly hasOffsets: boolean;
}

/** One id of a row. */
interface Token {
  readonly id: number;
  /** 1 of a second text. */
  readonly type: number;
  /** 1 for text, 0 for padding. */
  readonly seen: number;
  /** 1 for what is no text: padding, and what stands around it. */
  readonly special: number;
  readonly offset: Offset;
}

export type EncodedRow = readonly Token[];

/**
 * A row as the Rust tokenizer encodes, cuts and pads it: to `max_length` at least, longer where nothing is cut.
 * @throws EngineError `usage` where it cannot be cut as was asked.
 */
export function encodeRow(tokenizer: BarkTokenizer, { words, pair }: TextRow, options: EncodingOptions): EncodedRow {
  const encode = (texts: readonly string[], type: number): Token[] =>
    texts.flatMap((text) => {
      const ids = tokenizer.encode(text);
      // Of words: within the word that a piece belongs to.
      const offsets = options.hasOffsets ? tokenizer.offsets(text, ids) : [];
      return ids.map((id, i) => ({ id, type, seen: 1, special: 0, offset: offsets[i] ?? [0, 0] }));
    });
  const { cls_token_id: cls, sep_token_id: sep } = tokenizer;
  const isFramed = options.add_special_tokens && cls !== undefined && sep !== undefined;
  const frame = (id: number | undefined, type = 0): Token[] =>
    isFramed ? [{ id: id!, type, seen: 1, special: 1, offset: [0, 0] }] : [];
  const added = isFramed ? (pair === undefined ? 2 : 3) : 0;
  const [first, second] = cut([encode(words, 0), pair && encode(pair, 1)], added, options);
  const row = [...frame(cls), ...first, ...frame(sep), ...(second === undefined ? [] : [...second, ...frame(sep, 1)])];
  const pad: Token = { id: tokenizer.pad_token_id, type: 0, seen: 0, special: 1, offset: [0, 0] };
  return [...row, ...Array.from({ length: Math.max(0, options.max_length - row.length) }, () => pad)];
}

type Halves = readonly [Token[], Token[] | undefined];

/** @param added ids around the texts: where not even those fit, nothing is cut, as in the Rust library. */
function cut([first, second]: Halves, added: number, { max_length, truncation }: EncodingOptions): Halves {
  const most = max_length - added;
  const excess = first.length + (second?.length ?? 0) - most;
  if (truncation === "do_not_truncate" || most < 0 || excess <= 0) return [first, second];
  if (most === 0) return [[], second && []];
  if (truncation === "longest_first") {
    const [a, b] = halves(first.length, second?.length ?? 0, most);
    return [first.slice(0, a), second?.slice(0, b)];
  }
  const target = truncation === "only_first" ? first : second;
  if (target === undefined || target.length <= excess)
    throw new EngineError(
      "usage",
      target === undefined ? "there is no second text" : "the text is too short to be cut",
      {
        where: "truncation",
        expected: `${excess} ids that can be left out of the ${truncation === "only_first" ? "first" : "second"} text`,
        actual: target?.length ?? 0,
        fix: 'give truncation: true, or "longest_first"',
      },
    );
  const kept = target.slice(0, target.length - excess);
  return truncation === "only_first" ? [kept, second] : [first, kept];
}

/** How much of two texts is kept: of the longer one what the shorter leaves, or half of the room for each. */
function halves(first: number, second: number, most: number): readonly [number, number] {
  const short = Math.min(first, second);
  // The Rust library takes half for a shorter text that is above the room alone, too.
  const rest = short > most ? short : Math.max(short, most - short);
  const [a, b] = short + rest > most ? [Math.floor(most / 2), Math.floor(most / 2) + (most % 2)] : [short, rest];
  return first > second ? [b, a] : [a, b];
}
