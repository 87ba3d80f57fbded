import { EngineError } from "../../engine/errors.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes of a pickle, read front to back; every read is checked against the remaining bytes. */
export class PickleBytes {
  readonly where: string;
  /** Offset of the operation that was read last. */
  operationOffset = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array, where: string) {
    this.where = where;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fail(message: string): EngineError {
    return new EngineError("bad-input", `the pickle ${message} (at byte ${this.operationOffset})`, {
      where: this.where,
      fix: "the file is damaged or not a torch checkpoint: download or save it again",
    });
  }

  operation(): number {
    this.operationOffset = this.#at;
    return this.u8();
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  /** Beyond 2^53 the digits are wrong; as a length it is refused anyway. */
  u64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true));
  }

  f64(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** A copy. */
  bytes(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.slice(start, start + length);
  }

  text(length: number): string {
    const start = this.#advance(length);
    return this.#decode(start, start + length);
  }

  /** Text up to the next newline, which is read too. */
  line(): string {
    const start = this.#at;
    const end = this.#bytes.indexOf(0x0a, start);
    if (end < 0) throw this.fail("ends too early");
    this.#at = end + 1;
    return this.#decode(start, end);
  }

  requireLeft(length: number): void {
    if (length > this.#bytes.length - this.#at) throw this.fail("ends too early");
  }

  #advance(length: number): number {
    this.requireLeft(length);
    const start = this.#at;
    this.#at += length;
    return start;
  }

  #decode(start: number, end: number): string {
    try {
      return utf8.decode(this.#bytes.subarray(start, end));
    } catch {
      throw this.fail("has text that is not UTF-8");
    }
  }
}
