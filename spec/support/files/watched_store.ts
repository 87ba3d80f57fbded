import type { ByteSource } from "../../../checkpoint/sources/byte_source.ts";
import type { FileStore } from "../../../checkpoint/stores/file_store.ts";

/** Notes what is read of a source. */
export class WatchedSource implements ByteSource {
  readonly #source: ByteSource;
  readonly reads: [offset: number, length: number][] = [];
  isOpen = true;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  get name(): string {
    return this.#source.name;
  }

  get size(): number {
    return this.#source.size;
  }

  get bytesRead(): number {
    return this.reads.reduce((sum, [, length]) => sum + length, 0);
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    this.reads.push([offset, length]);
    return await this.#source.read(offset, length);
  }

  async close(): Promise<void> {
    this.isOpen = false;
    await this.#source.close();
  }
}

/** Keeps every source that it opened. */
export class WatchedStore implements FileStore {
  readonly #store: FileStore;
  readonly opened: WatchedSource[] = [];

  constructor(store: FileStore) {
    this.#store = store;
  }

  get name(): string {
    return this.#store.name;
  }

  get stillOpen(): string[] {
    return this.opened.filter((source) => source.isOpen).map((source) => source.name);
  }

  async open(path: string): Promise<ByteSource | undefined> {
    const source = await this.#store.open(path);
    if (source === undefined) return undefined;
    this.opened.push(new WatchedSource(source));
    return this.opened.at(-1);
  }
}
