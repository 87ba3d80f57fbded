/** The files of a book by name, with forward slashes: a folder, or what stands in for one. */
export interface BookStore {
  /** For errors. */
  readonly name: string;
  /** All bytes of a file; undefined if there is none. @throws EngineError `bad-input` if it cannot be read. */
  read(file: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Writes a whole file, or leaves the old one. @throws EngineError `io`. */
  write(file: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
  /** Writes a whole file if there is none of its name, whoever else tries. @returns whether it did. @throws EngineError `io`. */
  create(file: string, content: Uint8Array): Promise<boolean>;
  /** Removes a file, or a folder where there are folders, if it is there. */
  remove(file: string): Promise<void>;
}

/** A folder of a store as a store. */
export function folderOf(store: BookStore, folder: string): BookStore {
  return {
    name: `${store.name.replace(/\/$/, "")}/${folder}`,
    read: (file) => store.read(`${folder}/${file}`),
    write: (file, content) => store.write(`${folder}/${file}`, content),
    create: (file, content) => store.create(`${folder}/${file}`, content),
    remove: (file) => store.remove(`${folder}/${file}`),
  };
}

/** A value as a file of JSON; a seed beyond 2^53 is no number there. */
export function jsonBytes(value: unknown): Uint8Array<ArrayBuffer> {
  const text = JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? String(item) : item), 1);
  return new TextEncoder().encode(`${text}\n`);
}
