import { EngineError } from "../engine/errors.ts";
import type { FileStore } from "./stores/file_store.ts";

/** No text file of a checkpoint comes near this; parsed, it takes a GB of memory at worst. */
const maxTextBytes = 1 << 26;

/** Text of a whole file of a store, or undefined if there is none. @throws EngineError `bad-input` if it is huge. */
export async function readTextFile(store: FileStore, path: string): Promise<string | undefined> {
  const source = await store.open(path);
  if (source === undefined) return undefined;
  try {
    if (source.size > maxTextBytes)
      throw new EngineError("bad-input", "is too large for a text file", {
        where: `${store.name}/${path}`,
        expected: `at most ${maxTextBytes} bytes`,
        actual: `${source.size} bytes`,
      });
    return decodeText(await source.read(0, source.size), `${store.name}/${path}`);
  } finally {
    await source.close();
  }
}

/** UTF-8, or the UTF-16 that some tools of Windows write, which begins with a mark. */
function decodeText(bytes: Uint8Array, where: string): string {
  const mark = (bytes[0] << 8) | bytes[1];
  const encoding = mark === 0xfffe ? "utf-16le" : mark === 0xfeff ? "utf-16be" : "utf-8";
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new EngineError("bad-input", "is not UTF-8 text", { where, fix: "fetch the file again", cause });
  }
}

/** A parsed JSON file of a store, or undefined if there is none. @throws EngineError `bad-input` if it does not parse. */
export async function readJsonFile(store: FileStore, path: string): Promise<unknown> {
  const text = await readTextFile(store, path);
  if (text === undefined) return undefined;
  try {
    return parseJson(text);
  } catch (cause) {
    throw new EngineError("bad-input", `is not valid JSON: ${(cause as Error).message}`, {
      where: `${store.name}/${path}`,
      fix: "fetch the file again",
      cause,
    });
  }
}

/** JSON as Python writes it, with NaN, Infinity and -Infinity as numbers. @throws SyntaxError. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (!/NaN|Infinity/.test(text)) throw error;
  }
  // JSON can hold an overflowing number for Infinity, but nothing for NaN: a list with a text that no file has marks it.
  const mark = `NaN ${Math.random()}`;
  const words: Readonly<Record<string, string>> = { NaN: JSON.stringify([mark]), Infinity: "1e999" };
  const inJson = text.replaceAll(/"[^"\\]*(?:\\.[^"\\]*)*"|NaN|Infinity/g, (token) => words[token] ?? token);
  return JSON.parse(inJson, (_key, value: unknown) =>
    Array.isArray(value) && value[0] === mark ? NaN : value,
  ) as unknown;
}
