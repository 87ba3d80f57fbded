import { innerPath } from "../hub/repository.ts";
import type { ByteSource } from "../sources/byte_source.ts";
import type { FileStore } from "./file_store.ts";

/** The files below a folder of another store. */
export class SubfolderStore implements FileStore {
  readonly name: string;
  readonly #store: FileStore;
  readonly #folder: string;

  /** @throws EngineError `bad-input` for a folder outside the store. */
  constructor(store: FileStore, folder: string) {
    this.#store = store;
    this.#folder = innerPath(store.name, folder);
    this.name = `${store.name}/${this.#folder}`;
  }

  /** @throws EngineError `bad-input` if the path leaves the folder, and as the other store. */
  async open(path: string): Promise<ByteSource | undefined> {
    return await this.#store.open(`${this.#folder}/${innerPath(this.name, path)}`);
  }
}
