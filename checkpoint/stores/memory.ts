import type { ByteSource } from "../sources/byte_source.ts";
import type { FileStore } from "./file_store.ts";
import { MemorySource } from "../sources/memory.ts";

/** Files in memory, by path. */
export class MemoryStore implements FileStore {
  readonly name: string;
  readonly #files: ReadonlyMap<string, Uint8Array>;

  constructor(files: ReadonlyMap<string, Uint8Array>, name = "memory") {
    this.name = name;
    this.#files = files;
  }

  async open(path: string): Promise<ByteSource | undefined> {
    const bytes = this.#files.get(path);
    return Promise.resolve(bytes && new MemorySource(`${this.name}/${path}`, bytes));
  }

  async list(): Promise<readonly string[]> {
    return [...this.#files.keys()];
  }
}
