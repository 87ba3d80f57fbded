import type { BarkTokenizer } from "../../bark/text/tokenizer.ts";

/** A word of a piece, and the slots of the model that hold its tokens. */
export interface TextWord {
  /** UTF-16 units of the piece's text: [from, to). */
  readonly from: number;
  readonly to: number;
  /** Text slots: [first, end). */
  readonly first: number;
  readonly end: number;
}

type Encoder = Pick<BarkTokenizer, "encode" | "offsets">;

/** The tokenizer makes each ideograph a word, and so do we. */
const letter = String.raw`(?!\p{Script=Han})[\p{L}\p{N}\p{M}]`;
/** Letters, the apostrophe of "don't" and the point of "3.5". */
const core = String.raw`(?:\p{Script=Han}|(?:${letter}|(?<=[\p{L}\p{N}])['’](?=\p{L})|(?<=\p{N})[.,:](?=\p{N}))+)`;
const mark = String.raw`[^\s\p{L}\p{N}\p{M}]`;
/** Marks belong to the word before them, and at the beginning of a run of characters to the one behind. */
const word = new RegExp(String.raw`(?:(?<!\S)${mark}+)?${core}${mark}*(?:\s+${mark}+(?!\S))*`, "gu");

/**
 * The words of a text, with the punctuation that belongs to them, whether or not the vocabulary has them. Those that got no
 * slot, because the text is too long, are left out: the model was not given them.
 * @param slots of text that the model has.
 */
export function wordsOf(tokenizer: Encoder, text: string, slots: number): TextWord[] {
  const units = unitsOf(text);
  const starts = tokenizer.offsets(text, tokenizer.encode(text)).map(([start]) => units[start]);
  const count = Math.min(slots, starts.length);
  const slotAt = (at: number): number => {
    const slot = starts.findIndex((start) => start >= at);
    return slot < 0 ? count : Math.min(slot, count);
  };
  const found = Array.from(text.matchAll(word), ({ 0: { length }, index }) => ({ from: index, to: index + length }));
  return found
    .map(({ from, to }, i) => ({ from, to, first: slotAt(from), end: slotAt(found[i + 1]?.from ?? Infinity) }))
    .filter(({ first, end }) => first < end);
}

/** Where each code point begins, in UTF-16 units. */
function unitsOf(text: string): number[] {
  const units: number[] = [];
  for (let at = 0; at < text.length; at += text.codePointAt(at)! > 0xffff ? 2 : 1) units.push(at);
  return units;
}
