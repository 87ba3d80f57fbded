import { abbreviationsOf } from "./abbreviations.ts";
import { segmentStarts } from "./segments.ts";

/** A stretch of a text, in UTF-16 units: [start, end). */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** The same stretch without white space at its ends; `undefined` if there is nothing else. */
export function trimmed(text: string, { start, end }: Range): Range | undefined {
  while (start < end && /\s/.test(text[start])) start++;
  while (end > start && /\s/.test(text[end - 1])) end--;
  return start < end ? { start, end } : undefined;
}

/** Stretches between blank lines. A single line break is white space: files from PDFs break every line. */
export function paragraphsOf(text: string, within: Range = { start: 0, end: text.length }): Range[] {
  const part = text.slice(within.start, within.end);
  const cuts = [...part.matchAll(/(?:\r\n?|\n|\u2029)[^\S\r\n]*(?:\r\n?|\n|\u2029)\s*|\u2029/g)].map(
    ({ index, 0: gap }) => [within.start + index, within.start + index + gap.length],
  );
  const edges = [within.start, ...cuts.flat(), within.end];
  return edges.flatMap((start, i) => {
    const range = i % 2 === 0 ? trimmed(text, { start, end: edges[i + 1] }) : undefined;
    return range === undefined ? [] : [range];
  });
}

/**
 * The sentences of a paragraph, without the white space between them: Intl.Segmenter's (Unicode TR29), of which those are
 * joined that abbreviations, initials, ordinals and quotations cut apart.
 * @param language of Bark, such as `de`.
 */
export function sentencesOf(text: string, within: Range, language: string): Range[] {
  const part = text.slice(within.start, within.end);
  const sentences: { start: number; end: number }[] = [];
  const starts = segmentStarts(part, segmenter(language));
  for (const [i, index] of starts.entries()) {
    const length = (starts[i + 1] ?? part.length) - index;
    // To TR29 a bracket that opens the next sentence, as in 。「, closes the one before.
    const opened =
      i === 0 ? 0 : (openedEarly.exec(part.slice(Math.max(0, index - longestEnd), index))?.[0].length ?? 0);
    const start = within.start + index - opened;
    const before = sentences.at(-1);
    if (before !== undefined) before.end = start;
    const end = text.slice(Math.max(before?.start ?? start, start - longestEnd), start);
    if (before !== undefined && isOneSentence(end, text.slice(start, within.end), language))
      before.end = within.start + index + length;
    else sentences.push({ start, end: within.start + index + length });
  }
  return sentences.flatMap((sentence) => trimmed(text, sentence) ?? []);
}

/** Looked at before a cut: a sentence that is joined of thousands of lines must not be read anew for each. */
const longestEnd = 100;

const segmenters = new Map<string, Intl.Segmenter>();

function segmenter(language: string): Intl.Segmenter {
  const known = segmenters.get(language) ?? new Intl.Segmenter(language, { granularity: "sentence" });
  segmenters.set(language, known);
  return known;
}

const openedEarly = /(?<=[。！？｡．])[「『（【〈《]+$/u;
/** A line break inside a paragraph is white space, where Intl.Segmenter sees the end of a sentence (TR29's ParaSep). */
const endsWithStop = /[.!?…。！？｡．؟।॥][\p{Pe}\p{Pf}\p{Po}"'’”“‘»«]*\s*$/u;
const startsSmall = /^[\s\p{Ps}\p{Pi}"'‘“«—–-]*[\p{Ll}\p{Nd}]/u;
const ideographic = /[。！？｡．][\p{Pe}\p{Pf}"'’”]*\s*$/u;

/** Whether what comes before and after a cut of Intl.Segmenter is one sentence. @param before at least its end. */
function isOneSentence(before: string, after: string, language: string): boolean {
  if (before.endsWith("\u2028")) return false; // The end of an SSML <s>.
  if (!endsWithStop.test(before)) return true;
  // 「何？」と聞いた。: a quotation that a particle takes up.
  if (/[」』]\s*$/.test(before)) return /^(?:と|って|という|라고|이라고)/.test(after);
  if (ideographic.test(before)) return false;
  if (!/\s$/.test(before)) return !/^[\p{Ps}\p{Pi}]/u.test(after) && !/[।॥]$/.test(before);
  if (startsSmall.test(after)) return true;
  return isAbbreviated(before.trimEnd(), after, language);
}

/** Whether a stop belongs to the word before it and a sentence goes on behind it. */
function isAbbreviated(before: string, after: string, language: string): boolean {
  const word = /(?<=^|[\s\p{Ps}\p{Pi}"'’/-])([\p{L}\p{M}\p{Nd}.º-]+)\.$/u.exec(before)?.[1];
  if (word === undefined) return false;
  const { inside, last, starters, ordinals } = abbreviationsOf(language);
  const small = word.toLowerCase();
  if (/^\p{Nd}{1,3}$/u.test(word)) return ordinals || before.length === word.length + 1; // "1. Oktober"; "1. First" of a list.
  const next = /^[\p{Ps}\p{Pi}"'‘“«]*([\p{L}\p{M}'’]+)/u.exec(after)?.[1].toLowerCase() ?? "";
  if (last.has(small)) return starters === undefined ? false : !starters.has(next);
  // "E. Smith", "J.R.R. Tolkien", but not "Plan B. Then".
  if (/^(?:\p{Lu}\.)*\p{Lu}$/u.test(word)) return starters === undefined || !starters.has(next);
  return inside.has(small);
}
