import { MappedText } from "./source_map.ts";
import { readPause, wrong, type Passage, type Script } from "./script.ts";

/**
 * Reads our three tags: `[pause:1.5s]`, `[voice:NAME]` (`[voice:]` goes back to the caller's) and `[chapter:TITLE]`. All
 * else in brackets is Bark's, such as `[laughs]`.
 * @throws EngineError `bad-input` with line and column.
 */
export function readTags(source: string): Script {
  const parts: Script["parts"][number][] = [];
  let voice: string | undefined;
  let at = 0;
  for (const match of source.matchAll(/\[(pause|voice|chapter):([^\]\r\n]*)(\]?)/gi)) {
    const [tag, name, value, closed] = match;
    const range = { start: match.index, end: match.index + tag.length };
    if (closed === "") throw wrong(`[${name}: has no end`, source, range, { fix: "close it with ]" });
    parts.push(...passage(source, at, range.start, voice));
    at = range.end;
    const content = value.trim();
    if (/^pause$/i.test(name)) parts.push({ kind: "pause", milliseconds: readPause(value, source, range) });
    else if (/^voice$/i.test(name)) voice = content === "" ? undefined : content;
    else if (content === "") throw wrong("a chapter needs a title", source, range, { expected: "[chapter:TITLE]" });
    else parts.push({ kind: "chapter", title: content });
  }
  parts.push(...passage(source, at, source.length, voice));
  return { source, parts, notices: [] };
}

/** source[start, end), if there is anything in it to say. */
function passage(source: string, start: number, end: number, voice: string | undefined): Passage[] {
  if (source.slice(start, end).trim() === "") return [];
  const text = new MappedText();
  text.copy(source, start, end);
  return [{ kind: "text", text, voice }];
}
