import type { ByteSource } from "../sources/byte_source.ts";
import { BlobSource } from "../sources/memory.ts";
import type { FileStore } from "../stores/file_store.ts";
import { innerPath } from "../hub/repository.ts";
import { checkAborted } from "../hub/retry.ts";

/**
 * Files of a browser extension (`chrome-extension://…`), each fetched whole when it is opened: a browser answers a range of
 * one with its bytes, but by status 200 and without the size of the file.
 */
export class ExtensionStore implements FileStore {
  readonly name: string;
  readonly #signal: AbortSignal | undefined;

  /** @param address of the folder, with or without a slash at its end. @param signal stops fetching. */
  constructor(address: string, signal?: AbortSignal) {
    this.name = address.replace(/\/*$/, "");
    this.#signal = signal;
  }

  /** @throws EngineError `bad-input` if the path leaves the folder; `aborted`. */
  async open(path: string): Promise<ByteSource | undefined> {
    const address = `${this.name}/${innerPath(this.name, path)}`;
    // A file that is not there is a network error, and nothing else can be one.
    const answer = await fetch(address, { signal: this.#signal ?? null }).catch(() => undefined);
    checkAborted(this.#signal);
    return answer?.ok === true ? new BlobSource(address, await answer.blob()) : undefined;
  }
}
