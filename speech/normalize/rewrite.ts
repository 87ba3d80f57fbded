import { MappedText } from "../markup/source_map.ts";
import { rule, type Rule } from "./rule.ts";

/** What is spoken in place of a stretch of the source. */
export interface Change {
  /** UTF-16 units of the source: [from, to). */
  readonly source: readonly [from: number, to: number];
  readonly written: string;
  readonly spoken: string;
}

/** A text as it is spoken, and where it differs from the source. */
export interface Rewritten {
  readonly text: MappedText;
  /** In the order of the text. `at`: where in it. */
  readonly changes: readonly (Change & { readonly at: number })[];
}

/** A change as a plan and captions hold it. */
export function changeOf({ source, written, spoken }: Change): Change {
  return { source, written, spoken };
}

export type Rewriter = (text: MappedText) => Rewritten;

/** Bark's own tags, such as `[laughter]`, are no words. */
const brackets = rule(/\[[^\][\r\n]*\]/g, () => undefined);

/** Replaces what the rules find: what begins first, then what the earlier rule finds. */
export function rewriterOf(rules: readonly Rule[]): Rewriter {
  return (text) => rewritten(text, [brackets, ...rules]);
}

function rewritten(mapped: MappedText, rules: readonly Rule[]): Rewritten {
  const { text: whole } = mapped;
  // Sorting is stable: of two that begin alike the earlier rule's comes first.
  const found = rules.flatMap((find) => [...find(whole)]).sort((a, b) => a.start - b.start);
  const text = new MappedText();
  const changes: Rewritten["changes"][number][] = [];
  let [taken, copied, last] = [0, 0, ""];
  for (const { start, end, say } of found) {
    if (start < taken || start === end) continue;
    taken = end;
    const written = whole.slice(start, end);
    const words = say();
    if (words === undefined || words === written) continue;
    const before = last + whole.slice(Math.max(copied, start - 8), start);
    const spoken = beginsSentence(before) && !/^\p{L}/u.test(written) ? capital(words) : words;
    text.copyFrom(mapped, { start: copied, end: start });
    [copied, last] = [end, spoken];
    const at = text.text.length;
    const source = mapped.sourceOf({ start, end });
    text.replace(withSpaces(spoken, before, whole.slice(end, end + 2)), source);
    changes.push({ source: [source.start, source.end], written, spoken, at });
  }
  text.copyFrom(mapped, { start: copied, end: whole.length });
  return { text, changes };
}

/** Sentences are found by their capitals: one that began with "two men" would go on from the one before. */
function beginsSentence(before: string): boolean {
  return /(?:^|[.!?…][\p{Pe}\p{Pf}"'’”]*\s+|\n\s*\n\s*)["'“‘„«¿¡(]*$/u.test(before.slice(-8));
}

function capital(word: string): string {
  const [first] = word;
  return first.toUpperCase() + word.slice(first.length);
}

const alphabetic = /(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}])[\p{L}\p{M}\p{N}]/u;

/** `MP3` and `3D` are two words each. */
function withSpaces(spoken: string, before: string, after: string): string {
  const isWord = (character: string | undefined): boolean => character !== undefined && alphabetic.test(character);
  const left = isWord([...before].at(-1)) && isWord([...spoken][0]) ? " " : "";
  const right = isWord([...spoken].at(-1)) && isWord([...after][0]) ? " " : "";
  return left + spoken + right;
}
