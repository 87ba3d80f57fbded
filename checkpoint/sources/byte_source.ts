/**
 * Random access to the bytes of a file, wherever it lies. Every reader of a format (safetensors, zip, npy) works on
 * this, so that no format needs the whole file in memory.
 */
export interface ByteSource {
  /** Name for errors: a path or URL. */
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`. @throws EngineError `bad-input` if the source ends before. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Releases file handles. Reading afterwards is an error. */
  close(): Promise<void>;
}
