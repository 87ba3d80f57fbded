import { MemorySource } from "../../../../checkpoint/sources/memory.ts";
import { optionalPackage } from "../../../../audio/encode/stream.ts";
import { MappedText } from "../../../markup/source_map.ts";
import type { Script } from "../../../markup/script.ts";
import type { BookText } from "../book.ts";
import { EpubArchive } from "./archive.ts";

/**
 * Reads an EPUB 2 or 3: the documents of its spine in their order, with the entries of its table of contents as chapters.
 * The source that offsets count in is the text of the documents.
 * @throws EngineError `bad-input` for what is broken, missing or encrypted; `io` if htmlparser2 is not installed.
 */
export async function readEpub(bytes: Uint8Array<ArrayBuffer>, where: string): Promise<BookText> {
  const archive = await EpubArchive.open(new MemorySource(where, bytes));
  const load = async () => ({ ...(await import("./package.ts")), ...(await import("./document.ts")) });
  const { readPackage, readContents, readDocument } = await optionalPackage("htmlparser2", "an EPUB", load);
  const book = await readPackage(archive);
  const entries = await readContents(archive, book);
  let source = "";
  const marks: { title: string; at: number }[] = [];
  for (const path of book.spine) {
    const { text, ids, heading } = readDocument(await archive.text(path));
    if (text.trim() === "") continue;
    const begin = source.length;
    const own = entries.filter((entry) => entry.path === path);
    for (const { title, fragment } of own) marks.push({ title, at: begin + (ids.get(fragment) ?? 0) });
    // Without a table of contents the first heading of a document names it.
    if (entries.length === 0 && heading !== undefined) marks.push({ title: heading, at: begin });
    source += `${text}\n\n`;
  }
  const { title, author, language } = book;
  return { title, author, language, script: scriptOf(source, marks) };
}

function scriptOf(source: string, marks: { title: string; at: number }[]): Script {
  const parts: Script["parts"][number][] = [];
  const add = (start: number, end: number): void => {
    if (source.slice(start, end).trim() === "") return;
    const text = new MappedText();
    text.copy(source, start, end);
    parts.push({ kind: "text", text, voice: undefined });
  };
  const sorted = marks.sort((a, b) => a.at - b.at);
  add(0, sorted[0]?.at ?? source.length);
  for (let i = 0; i < sorted.length;) {
    const { at } = sorted[i];
    const titles: string[] = [];
    // "Part One" and "Chapter 1" often name the same place.
    for (; i < sorted.length && source.slice(at, sorted[i].at).trim() === ""; i++) titles.push(sorted[i].title);
    parts.push({ kind: "chapter", title: titles.join(": ") });
    add(at, sorted[i]?.at ?? source.length);
  }
  return { source, parts, notices: [] };
}
