import type { ByteSource } from "../sources/byte_source.ts";

/**
 * The files of one checkpoint: a directory, a base URL, a set of Blobs or an in-memory map. Paths are relative, with
 * forward slashes.
 */
export interface FileStore {
  /** What to call it in an error: the directory or URL. */
  readonly name: string;
  /** Opens a file for random access, or `undefined` if the store has none of that name. */
  open(path: string): Promise<ByteSource | undefined>;
  /** Names of the files at its top, where it can tell: a server cannot. */
  list?(): Promise<readonly string[]>;
}
