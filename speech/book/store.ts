/** The files of a book by name, with forward slashes: a folder, or what stands in for one. */
export interface BookStore {
  /** For errors. */
  readonly name: string;
  /** All bytes of a file; undefined if there is none. @throws EngineError `bad-input` if it cannot be read. */
  read(file: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Writes a whole file, or leaves the old one. @throws EngineError `io`. */
  write(file: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
  /** Removes a file, if it is there. */
  remove(file: string): Promise<void>;
}

/** A value as a file of JSON; a seed beyond 2^53 is no number there. */
export function jsonBytes(value: unknown): Uint8Array<ArrayBuffer> {
  const text = JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? String(item) : item), 1);
  return new TextEncoder().encode(`${text}\n`);
}
