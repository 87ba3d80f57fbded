import type { ByteSource } from "../sources/byte_source.ts";

/**
 * The files of one checkpoint: a directory, a base URL, a set of Blobs or an in-memory map. Paths are relative, with
 * forward slashes.
 */
export interface FileStore {
  /** Name for errors: the directory or URL. */
  readonly name: string;
  /** Opens a file for random access; `undefined` if the store has no file of that name. */
  open(path: string): Promise<ByteSource | undefined>;
  /** Names of the files at the top; absent where they are unknown, as for a server. */
  list?(): Promise<readonly string[]>;
}
