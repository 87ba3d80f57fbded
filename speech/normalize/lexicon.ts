import { EngineError } from "../../engine/errors.ts";
import type { Rule } from "./rule.ts";

/** How words are spoken: `{ Loughborough: "Luffbruh" }`. */
export type Lexicon = Readonly<Record<string, string>>;

/** A character of a script without spaces, a word, or a sign. */
const token = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{M}\p{N}]+|\S/gu;
const wordCharacter = /[\p{L}\p{M}\p{N}]/u;
const spaceless = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;

/**
 * A lexicon of a file: a JSON object, or lines of a word, a tab and how it is spoken; `#` begins a comment.
 * @throws EngineError `bad-input` with the line.
 */
export function readLexicon(text: string, where = "lexicon"): Lexicon {
  const whole = text.replace(/^\uFEFF/, "");
  return checked(/^\s*\{/.test(whole) ? ofJson(whole, where) : ofLines(whole, where), where);
}

/** A lexicon by name, or the text of a file. @throws EngineError `bad-input`. */
export function lexiconOf(given: Lexicon | string): Lexicon {
  return typeof given === "string" ? readLexicon(given) : checked(Object.entries(given), "lexicon");
}

function ofJson(text: string, where: string): unknown[][] {
  try {
    return Object.entries(JSON.parse(text) as object);
  } catch (cause) {
    throw new EngineError("bad-input", `is not JSON: ${(cause as Error).message}`, { where, cause });
  }
}

function ofLines(text: string, where: string): unknown[][] {
  return text.split(/\r\n?|\n/).flatMap((line, i) => {
    if (line.trim() === "" || line.startsWith("#")) return [];
    const parts = line.split("\t");
    if (parts.length === 2) return [parts];
    throw new EngineError("bad-input", "is no entry of a lexicon", {
      where: `${where}, line ${i + 1}`,
      expected: "a word, a tab, how it is spoken",
      actual: line.slice(0, 60),
    });
  });
}

function checked(entries: readonly unknown[][], where: string): Lexicon {
  const lexicon = Object.create(null) as Record<string, string>;
  for (const [word, spoken] of entries) {
    const name = (word as string).trim();
    if (name === "" || typeof spoken !== "string")
      throw new EngineError("bad-input", "is no entry of a lexicon", {
        where,
        expected: "a word, and how it is spoken",
        actual: `${JSON.stringify(word)}: ${JSON.stringify(spoken)}`.slice(0, 80),
      });
    lexicon[name] = spoken.trim();
  }
  return lexicon;
}

interface Entry {
  readonly written: string;
  readonly spoken: string;
  readonly anyCase: boolean;
}

/** A rule that finds the words of a lexicon, longer ones first. An entry in small letters counts in any case. */
export function lexiconRule(lexicon: Lexicon): Rule {
  const byToken = new Map<string, Entry[]>();
  for (const [written, spoken] of Object.entries(lexicon)) {
    const key = written.match(token)![0].toLowerCase();
    const entry = { written, spoken, anyCase: written === written.toLowerCase() };
    byToken.set(key, [...(byToken.get(key) ?? []), entry]);
  }
  for (const entries of byToken.values())
    entries.sort((a, b) => b.written.length - a.written.length || Number(a.anyCase) - Number(b.anyCase));
  // Looked up word by word: a pattern with one alternative for each of ten thousand words would take minutes.
  return function* (text) {
    for (const { index: start, 0: word } of text.matchAll(token)) {
      const entry = byToken.get(word.toLowerCase())?.find((each) => stands(each, text, start));
      if (entry !== undefined) yield { start, end: start + entry.written.length, say: () => entry.spoken };
    }
  };
}

/** Whether a text has an entry at this place as whole words. */
function stands({ written, anyCase }: Entry, text: string, at: number): boolean {
  const end = at + written.length;
  const here = text.slice(at, end);
  if (here !== written && !(anyCase && here.toLowerCase() === written)) return false;
  const [last] = [...written].slice(-1);
  const next = String.fromCodePoint(text.codePointAt(end) ?? 32);
  return spaceless.test(last) || !wordCharacter.test(last) || !wordCharacter.test(next);
}
