import { readFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";

/** Most bytes that a page downloads before it speaks, shaders included, by what it imports. */
const budgets: readonly (readonly [kilobytes: number, ...entries: string[]])[] = [
  [100, "index.js"],
  // With its worker, and what plays.
  [120, "element.js", "element_worker.js", "player_worklet.js"],
];

/** Bytes of entries and of all that they import at once (not of what they load when they need it), each file gzipped. */
export async function gzipBytes(...entries: string[]): Promise<number> {
  const files = new Map<string, Buffer>();
  const add = async (file: string): Promise<void> => {
    if (files.has(file)) return;
    const bytes = await readFile(file);
    files.set(file, bytes);
    for (const [, name] of bytes.toString().matchAll(/(?:\bfrom|\bimport)\s*"(\.[^"]+)"/g))
      await add(path.join(path.dirname(file), name));
  };
  for (const entry of entries) await add(entry);
  return [...files.values()].reduce((bytes, file) => bytes + gzipSync(file, { level: 9 }).length, 0);
}

/** @throws Error if what a page imports is over its budget. */
export async function checkBudget(dist: string): Promise<void> {
  for (const [kilobytes, ...entries] of budgets) {
    const bytes = await gzipBytes(...entries.map((entry) => path.join(dist, "web", entry)));
    if (bytes > kilobytes * 1024)
      throw new Error(`${entries[0]} has ${bytes} bytes, gzipped; at most ${kilobytes} KB are allowed`);
  }
}
