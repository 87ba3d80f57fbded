import { MappedText } from "../../markup/source_map.ts";
import type { Passage, Script } from "../../markup/script.ts";
import { readTags } from "../../markup/tags.ts";
import type { BookText } from "./book.ts";

/** What of a Markdown file is spoken: a stretch of it, or words in place of one. */
interface Spoken {
  readonly start: number;
  readonly end: number;
  readonly text?: string;
}

interface Heading {
  readonly at: number;
  readonly level: number;
  readonly title: string;
}

/**
 * Reads Markdown (CommonMark, and tables): what is spoken are the words of headings, paragraphs, lists, quotations and
 * tables, links by their text and pictures by their description; code blocks, HTML, comments and front matter are left out.
 * The highest level that has several headings begins chapters; a heading above them is the book's title.
 */
export function readMarkdown(source: string): BookText {
  const { spoken, headings } = new MarkdownReader(source).read();
  const ofLevel = [1, 2, 3, 4, 5, 6].map((level) => headings.filter((heading) => heading.level === level));
  const chapters = ofLevel.find(({ length }) => length > 1) ?? [];
  const title = ofLevel.find(({ length }) => length > 0)?.find((heading) => !chapters.includes(heading))?.title;
  return { title, script: { ...scriptOf(source, spoken, chapters), notices: [] } };
}

function scriptOf(source: string, spoken: readonly Spoken[], chapters: readonly Heading[]): Omit<Script, "notices"> {
  const parts: Script["parts"][number][] = [];
  let [next, chapter] = [0, 0];
  for (const part of readTags(source).parts) {
    if (part.kind !== "text") {
      parts.push(part);
      continue;
    }
    const { start, end } = part.text.sourceOf({ start: 0, end: part.text.text.length });
    let text = new MappedText();
    const flush = (): void => {
      if (text.text.trim() !== "") parts.push({ ...part, text } satisfies Passage);
      text = new MappedText();
    };
    while (next < spoken.length && spoken[next].start < end) {
      const { start: from, end: to, text: words } = spoken[next];
      while (chapter < chapters.length && chapters[chapter].at <= Math.max(from, start)) {
        flush();
        parts.push({ kind: "chapter", title: chapters[chapter++].title });
      }
      if (words !== undefined) text.replace(words, { start: from, end: to });
      else text.copy(source, Math.max(from, start), Math.min(to, end));
      if (to > end) break; // A tag cuts a stretch: its rest belongs to the next passage.
      next++;
    }
    flush();
  }
  return { source, parts };
}

const fence = /^ {0,3}(`{3,}|~{3,})/;
const atx = /^( {0,3}(#{1,6})(?:[ \t]+|$))(.*?)(?:[ \t]+#+)?[ \t]*$/;
const setext = /^ {0,3}(=+|-+)[ \t]*$/;
const rule = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
/** Quotation marks, a list's item and a box to tick. */
const prefix = /^(?:[ \t]*>[ \t]?)*(?:[ \t]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]+|$)(?:\[[ xX]\][ \t]+)?)*[ \t]*/;
const definition = /^ {0,3}\[[^\]]+\]:[ \t]*\S+/;
const tableRule = /^[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
/** Marks within a line: escapes, code, pictures and links, addresses, HTML, emphasis, cells of a table. */
const inline =
  /\\([!-/:-@[-`{-~])|(`+)(.+?)\2|!?\[((?:[^[\]\\]|\\.|\[[^[\]]*\])*)\](?:\([^()\s]*(?:\([^()]*\)[^()\s]*)*(?:\s+(?:"[^"]*"|'[^']*'))?\)|\[[^\]]*\])|<((?:https?|mailto):[^\s<>]*)>|<\/?[a-zA-Z][^<>]*>|(\*{1,3}(?=\S)|(?<=\S)\*{1,3}|~~|(?<![\p{L}\p{N}])_{1,3}|_{1,3}(?![\p{L}\p{N}]))|([ \t]*\|[ \t]*)|&(#x?[\da-f]+|\w+);/giu;
const entities: Readonly<Record<string, string>> = {
  ...{ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", mdash: "—", ndash: "–", hellip: "…" },
};

class MarkdownReader {
  readonly #source: string;
  readonly #spoken: Spoken[] = [];
  readonly #headings: Heading[] = [];
  /** What ends the code or the comment that lines lie in. */
  #until: RegExp | undefined;
  #paragraph: { start: number; end: number } | undefined;
  #isTable = false;

  constructor(source: string) {
    this.#source = source;
  }

  read(): { spoken: Spoken[]; headings: Heading[] } {
    const matter = /^\ufeff?---[ \t]*\r?\n[\s\S]*?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/.exec(this.#source);
    let at = matter?.[0].length ?? 0;
    for (const [whole, line] of this.#source.slice(at).matchAll(/([^\r\n]*)(?:\r\n|[\r\n]|$)/g)) {
      this.#line(line, at);
      at += whole.length;
    }
    return { spoken: this.#spoken, headings: this.#headings };
  }

  #line(line: string, at: number): void {
    if (this.#until !== undefined) {
      if (this.#until.test(line)) this.#until = undefined;
      return;
    }
    const opened = fence.exec(line);
    const isCode = this.#paragraph === undefined && /^(?: {4}|\t)/.test(line) && !/^\s*(?:[-*+]|\d+[.)])\s/.test(line);
    if (opened !== null) this.#until = new RegExp(`^ {0,3}${opened[1][0]}{${opened[1].length},}[ \\t]*$`);
    else if (/^ {0,3}<!--/.test(line) && !line.includes("-->")) this.#until = /-->/;
    if (line.trim() === "" || opened !== null || isCode || /^ {0,3}<!--/.test(line) || definition.test(line)) {
      this.#break(at);
      return;
    }
    const heading = atx.exec(line);
    if (heading !== null) return this.#heading(heading[2].length, at + heading[1].length, heading[3], at);
    const underline = setext.exec(line);
    if (underline !== null && this.#paragraph !== undefined && !this.#isTable)
      return this.#underlined(underline[1].startsWith("=") ? 1 : 2, at);
    if (rule.test(line)) return this.#break(at);
    if (tableRule.test(line) && line.includes("|")) return;
    this.#text(line, at);
  }

  #text(line: string, at: number): void {
    const { 0: marks } = prefix.exec(line)!;
    const isRow = /^[ \t]*\|/.test(line);
    // An item of a list and a row of a table are heard as paragraphs of their own.
    if (isRow || /[-*+\d]/.test(marks)) this.#break(at);
    else if (this.#paragraph !== undefined) this.#spoken.push({ start: at, end: at, text: "\n" });
    this.#isTable = isRow;
    const from = at + marks.length;
    this.#words(line.slice(marks.length), from);
    this.#paragraph = { start: this.#paragraph?.start ?? from, end: at + line.length };
  }

  #heading(level: number, from: number, words: string, at: number): void {
    this.#break(at);
    const first = this.#spoken.length;
    this.#words(words, from);
    const title = this.#spoken.slice(first).map(({ start, end, text }) => text ?? this.#source.slice(start, end));
    if (words.trim() !== "") this.#headings.push({ at: from, level, title: title.join("").trim() });
    this.#break(from + words.length);
  }

  /** The paragraph before a line of = or - was a heading. */
  #underlined(level: number, at: number): void {
    const { start, end } = this.#paragraph!;
    const parts = this.#spoken.filter((part) => part.start >= start);
    const title = parts.map((part) => part.text ?? this.#source.slice(part.start, part.end)).join("");
    this.#headings.push({ at: start, level, title: title.trim().replaceAll(/\s+/g, " ") });
    this.#paragraph = { start, end };
    this.#break(at);
  }

  #break(at: number): void {
    if (this.#spoken.length > 0) this.#spoken.push({ start: at, end: at, text: "\n\n" });
    this.#paragraph = undefined;
    this.#isTable = false;
  }

  /** The words of a line, without its marks. */
  #words(line: string, at: number): void {
    let done = 0;
    const copy = (start: number, end: number): void => {
      if (end > start) this.#spoken.push({ start: at + start, end: at + end });
    };
    for (const match of line.matchAll(inline)) {
      const { index, 0: mark, 1: escaped, 3: code, 4: label, 5: address, 7: cell, 8: entity } = match;
      const end = index + mark.length;
      copy(done, index);
      done = end;
      if (escaped !== undefined) copy(index + 1, end);
      else if (code !== undefined) copy(index + match[2].length, end - match[2].length);
      else if (label !== undefined) this.#words(label, at + index + mark.indexOf("[") + 1);
      else if (address !== undefined) copy(index + 1, end - 1);
      else if (cell !== undefined && !this.#isTable) copy(index, end);
      else if (cell !== undefined)
        this.#spoken.push({ start: at + index, end: at + end, text: index === 0 || end === line.length ? "" : ", " });
      else if (entity !== undefined)
        this.#spoken.push({ start: at + index, end: at + end, text: characterOf(entity) ?? mark });
      // What is left are marks without words: emphasis and HTML.
    }
    copy(done, line.length);
  }
}

function characterOf(entity: string): string | undefined {
  const number = /^#(x?)([\da-f]+)$/i.exec(entity);
  if (number === null) return entities[entity];
  const code = parseInt(number[2], number[1] === "" ? 10 : 16);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}
