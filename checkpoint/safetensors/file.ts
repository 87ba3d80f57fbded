import type { ByteSource } from "../sources/byte_source.ts";
import { EngineError } from "../../engine/errors.ts";
import { unpackBfloats, unpackHalves } from "../../engine/formats/float16.ts";
import { gatherRows } from "../gather_rows.ts";
import type { TensorInfo, TensorReader } from "../../engine/weights/tensor_reader.ts";
import { maxHeaderBytes, parseHeader, type SafetensorsEntry, type SafetensorsHeader } from "./header.ts";

/** Sources give fresh buffers, so the views are aligned. I8: the quants of q8, without their scales. */
const unpackers = {
  F32: (buffer: ArrayBuffer) => new Float32Array(buffer),
  F16: (buffer: ArrayBuffer) => unpackHalves(new Uint16Array(buffer)),
  BF16: (buffer: ArrayBuffer) => unpackBfloats(new Uint16Array(buffer)),
  F64: (buffer: ArrayBuffer) => Float32Array.from(new Float64Array(buffer)),
  I8: (buffer: ArrayBuffer) => Float32Array.from(new Int8Array(buffer)),
};
type ReadableEntry = SafetensorsEntry & { readonly dtype: keyof typeof unpackers };

function isReadable(entry: SafetensorsEntry): entry is ReadableEntry {
  return entry.dtype in unpackers;
}

/** One safetensors file, read by range. */
export class SafetensorsFile implements TensorReader {
  readonly source: ByteSource;
  readonly header: SafetensorsHeader;
  readonly #dataOffset: number;

  private constructor(source: ByteSource, header: SafetensorsHeader, dataOffset: number) {
    this.source = source;
    this.header = header;
    this.#dataOffset = dataOffset;
  }

  /** Reads and checks the header. A source that is refused is closed. @throws EngineError `bad-input`. */
  static async open(source: ByteSource): Promise<SafetensorsFile> {
    try {
      return await SafetensorsFile.#read(source);
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  static async #read(source: ByteSource): Promise<SafetensorsFile> {
    const fail = (message: string, expected: string, actual: string): EngineError =>
      new EngineError("bad-input", message, {
        where: source.name,
        expected,
        actual,
        fix: "the file is damaged or not a safetensors file: download or convert it again",
      });
    if (source.size < 8) throw fail("is too short", "at least 8 bytes", `${source.size} bytes`);
    const prefix = await source.read(0, 8);
    const length = new DataView(prefix.buffer).getBigUint64(0, true);
    if (length > BigInt(maxHeaderBytes))
      throw fail("the header is too long", `at most ${maxHeaderBytes} bytes`, `${length}`);
    const dataOffset = 8 + Number(length);
    if (dataOffset > source.size)
      throw fail("the file ends in its header", `${dataOffset} bytes`, `${source.size} bytes`);
    const bytes = await source.read(8, Number(length));
    return new SafetensorsFile(source, parseHeader(bytes, source.size - dataOffset, source.name), dataOffset);
  }

  names(): Iterable<string> {
    return this.header.entries.keys();
  }

  has(name: string): boolean {
    return this.header.entries.has(name);
  }

  info(name: string): TensorInfo {
    const { dtype, shape } = this.#entry(name);
    return { dtype, shape, file: this.source.name };
  }

  async readFloat32(name: string): Promise<Float32Array<ArrayBuffer>> {
    const { begin, end, dtype } = this.#readable(name);
    return unpackers[dtype]((await this.#bytes(begin, end - begin)).buffer);
  }

  async readRows(name: string, first: number, count: number): Promise<Float32Array<ArrayBuffer>> {
    const { begin, end, shape, dtype } = this.#readable(name);
    this.#checkRows(name, shape, first, first + count);
    const rowBytes = shape[0] === 0 ? 0 : (end - begin) / shape[0];
    return unpackers[dtype]((await this.#bytes(begin + first * rowBytes, count * rowBytes)).buffer);
  }

  async gatherRows(name: string, rows: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    const { shape } = this.#readable(name);
    const width = shape.slice(1).reduce((product, extent) => product * extent, 1);
    return await gatherRows(rows, width, (first, count) => this.readRows(name, first, count));
  }

  async close(): Promise<void> {
    await this.source.close();
  }

  #entry(name: string): SafetensorsEntry {
    const entry = this.header.entries.get(name);
    if (entry !== undefined) return entry;
    throw missingTensor(name, this.source.name);
  }

  #readable(name: string): ReadableEntry {
    const entry = this.#entry(name);
    if (isReadable(entry)) return entry;
    throw new EngineError("bad-input", "weights of this dtype cannot be used", {
      where: `${this.source.name}: tensor ${name}`,
      expected: Object.keys(unpackers).join(", "),
      actual: entry.dtype,
    });
  }

  #checkRows(name: string, shape: readonly number[], first: number, end: number): void {
    if (shape.length > 0 && first >= 0 && end <= shape[0]) return;
    throw new EngineError("shape", `has no rows ${first} to ${end - 1}`, {
      where: `${this.source.name}: tensor ${name}`,
      actual: `shape [${shape.join(", ")}]`,
    });
  }

  async #bytes(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    return await this.source.read(this.#dataOffset + offset, length);
  }
}

export function missingTensor(name: string, where: string): EngineError {
  return new EngineError("bad-input", `tensor ${name} is missing`, {
    where,
    fix: "check that config.json and the weights belong together, or download the checkpoint again",
  });
}
