import type { ByteSource } from "./byte_source.ts";
import { EngineError } from "../../engine/errors.ts";

/** @throws EngineError `bad-input` if a range is not inside the source. */
export function checkRange(source: ByteSource, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= source.size) return;
  throw new EngineError("bad-input", "the file ends too early", {
    where: source.name,
    expected: `bytes ${offset} to ${offset + length}`,
    actual: `${source.size} bytes in all`,
    fix: "download or copy the file again",
  });
}

/** Bytes in memory. */
export class MemorySource implements ByteSource {
  readonly name: string;
  readonly #bytes: Uint8Array;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(this, offset, length);
    // A copy: Buffer's own slice() would hand out Node's shared pool.
    return Promise.resolve(Uint8Array.from(this.#bytes.subarray(offset, offset + length)));
  }

  async close(): Promise<void> {
    return Promise.resolve();
  }
}

/** A Blob or File, read lazily. */
export class BlobSource implements ByteSource {
  readonly name: string;
  readonly #blob: Blob;

  constructor(name: string, blob: Blob) {
    this.name = name;
    this.#blob = blob;
  }

  get size(): number {
    return this.#blob.size;
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(this, offset, length);
    return new Uint8Array(await this.#blob.slice(offset, offset + length).arrayBuffer());
  }

  async close(): Promise<void> {
    return Promise.resolve();
  }
}
