import { decode_captions } from "../../../audio/captions.ts";
import { EngineError } from "../../../engine/errors.ts";
import { didYouMean } from "../../../engine/check/nearest_name.ts";
import { MappedText } from "../../markup/source_map.ts";
import type { Passage, Script } from "../../markup/script.ts";
import { isSsml, readSsml } from "../../markup/ssml.ts";
import { readTags } from "../../markup/tags.ts";
import type { BookText } from "./book.ts";
import { readMarkdown } from "./markdown.ts";

type BookReader = (bytes: Uint8Array<ArrayBuffer>, where: string) => BookText | Promise<BookText>;

const captions: BookReader = (bytes, where) => ({ script: readCues(decodeText(bytes, where), where) });
const plain: BookReader = (bytes, where) => {
  const text = decodeText(bytes, where);
  return { script: isSsml(text) ? readSsml(text) : readTags(text) };
};
const markdown: BookReader = (bytes, where) => readMarkdown(decodeText(bytes, where));

/** Kinds of files by their endings. */
const readers: Readonly<Record<string, BookReader>> = {
  ".txt": plain,
  ".text": plain,
  ".ssml": plain,
  ".md": markdown,
  ".markdown": markdown,
  // Loaded here: its parser of HTML is an optional package.
  ".epub": async (bytes, where) => (await import("./epub/epub.ts")).readEpub(bytes, where),
  ".srt": captions,
  ".vtt": captions,
};

/** @throws EngineError `usage` for the name of a file that is no book. */
export function requireBookName(file: string): void {
  if (Object.hasOwn(readers, endingOf(file))) return;
  throw new EngineError("usage", "is not a kind of book that can be read", {
    where: file,
    expected: Object.keys(readers).join(", "),
    actual: endingOf(file) || "no ending",
    fix: didYouMean(endingOf(file), Object.keys(readers)),
  });
}

/**
 * The text of a file, by its ending.
 * @param where its name, for errors. @throws EngineError `usage` for another ending, `bad-input` for what it cannot be.
 */
export async function readBook(bytes: Uint8Array<ArrayBuffer>, where: string): Promise<BookText> {
  requireBookName(where);
  if (bytes.length === 0) throw new EngineError("bad-input", "is empty", { where });
  const book = await readers[endingOf(where)](bytes, where);
  if (book.script.parts.some(({ kind }) => kind === "text")) return book;
  throw new EngineError("bad-input", "holds no text", { where });
}

function endingOf(file: string): string {
  return /\.[^./\\]*$/.exec(file)?.[0].toLowerCase() ?? "";
}

/** UTF-8, or UTF-16 that begins with a mark. */
function decodeText(bytes: Uint8Array, where: string): string {
  const mark = (bytes[0] << 8) | bytes[1];
  const encoding = mark === 0xfffe ? "utf-16le" : mark === 0xfeff ? "utf-16be" : "utf-8";
  const wrong = (problem: string, fix: string, cause?: unknown): EngineError =>
    new EngineError("bad-input", problem, { where, fix, cause });
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw wrong("is not UTF-8 text", "save it as UTF-8", cause);
  }
  if (text.includes("\0")) throw wrong("is not a text: it holds bytes of zero", "give a text, or name it by its kind");
  return text;
}

/** The cues of SubRip or WebVTT, each to be heard at its time. */
function readCues(source: string, where: string): Script {
  const parts = decode_captions(source, where).flatMap(
    ({ text, start, end, source: [from, to] = [0, 0] }): Passage[] => {
      if (text === "") return [];
      const mapped = new MappedText();
      mapped.replace(text, { start: from, end: to });
      return [{ kind: "text", text: mapped, voice: undefined, cue: [start, end] }];
    },
  );
  return { source, parts, notices: [] };
}
