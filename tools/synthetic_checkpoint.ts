import { mkdir, open, rename } from "node:fs/promises";
import path from "node:path";
import type { ByteSource } from "../checkpoint/sources/byte_source.ts";
import { SyntheticStore, type SyntheticSize } from "./synthetic_store.ts";

const chunkBytes = 1 << 24;

/** Writes a synthetic checkpoint (small: 1.7 GB, large: 4.5 GB) to `folder`. */
export async function writeSyntheticCheckpoint(folder: string, size: SyntheticSize): Promise<void> {
  const store = new SyntheticStore(size);
  await mkdir(folder, { recursive: true });
  for (const name of store.paths) await writeSource((await store.open(name))!, path.join(folder, name));
}

/** Under another name until it is whole. */
async function writeSource(source: ByteSource, file: string): Promise<void> {
  const temporary = `${file}.${process.pid}`;
  const handle = await open(temporary, "w");
  try {
    for (let at = 0; at < source.size; at += chunkBytes)
      await handle.write(await source.read(at, Math.min(chunkBytes, source.size - at)));
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}
