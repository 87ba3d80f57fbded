import { readFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";

/** What a page downloads before it speaks, shaders included. */
const mostBytes = 100 * 1024;

/** Bytes of an entry and of all that it imports at once (not of what it loads when it needs it), each file gzipped. */
export async function gzipBytes(entry: string): Promise<number> {
  const files = new Map<string, Buffer>();
  const add = async (file: string): Promise<void> => {
    if (files.has(file)) return;
    const bytes = await readFile(file);
    files.set(file, bytes);
    for (const [, name] of bytes.toString().matchAll(/(?:\bfrom|\bimport)\s*"(\.[^"]+)"/g))
      await add(path.join(path.dirname(file), name));
  };
  await add(entry);
  return [...files.values()].reduce((bytes, file) => bytes + gzipSync(file, { level: 9 }).length, 0);
}

/** @throws Error if the entry of pages is over the budget. */
export async function checkBudget(dist: string): Promise<void> {
  const bytes = await gzipBytes(path.join(dist, "web/index.js"));
  if (bytes > mostBytes)
    throw new Error(`dist/web/index.js has ${bytes} bytes, gzipped; at most ${mostBytes} are allowed`);
}
