import { EngineError } from "../engine/errors.ts";
import { q8Block, q8BlocksOf } from "../engine/formats/q8.ts";
import type { TensorInfo, TensorReader } from "../engine/weights/tensor_reader.ts";

/**
 * A checkpoint whose matrices may be q8 (engine/formats/q8.ts): `name` holds the quants as I8 [rows, columns], `name_scale`
 * the scales as F32 [rows, ceil(columns / 32)]. Reading gives the dequantised values, with the dtype `Q8`.
 */
export class Q8Reader implements TensorReader {
  readonly #reader: TensorReader;
  readonly #quantized: ReadonlySet<string>;

  private constructor(reader: TensorReader, quantized: ReadonlySet<string>) {
    this.#reader = reader;
    this.#quantized = quantized;
  }

  /** The reader itself if nothing in it is I8. @throws EngineError `bad-input` if an I8 tensor has no fitting scales. */
  static over(reader: TensorReader): TensorReader {
    const quantized = [...reader.names()].filter((name) => reader.info(name).dtype === "I8");
    for (const name of quantized) requireScales(reader, name);
    return quantized.length === 0 ? reader : new Q8Reader(reader, new Set(quantized));
  }

  *names(): Iterable<string> {
    for (const name of this.#reader.names()) if (this.has(name)) yield name;
  }

  has(name: string): boolean {
    return this.#reader.has(name) && !(name.endsWith("_scale") && this.#quantized.has(name.slice(0, -6)));
  }

  info(name: string): TensorInfo {
    const info = this.#reader.info(name);
    return this.#quantized.has(name) ? { ...info, dtype: "Q8" } : info;
  }

  async readFloat32(name: string): Promise<Float32Array<ArrayBuffer>> {
    return await this.#scaled(name, (tensor) => this.#reader.readFloat32(tensor));
  }

  async readRows(name: string, first: number, count: number): Promise<Float32Array<ArrayBuffer>> {
    return await this.#scaled(name, (tensor) => this.#reader.readRows(tensor, first, count));
  }

  async gatherRows(name: string, rows: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    return await this.#scaled(name, (tensor) => this.#reader.gatherRows(tensor, rows));
  }

  async close(): Promise<void> {
    await this.#reader.close();
  }

  /** Whole rows of a tensor as `read` gives them; quants times their scales. */
  async #scaled(
    name: string,
    read: (tensor: string) => Promise<Float32Array<ArrayBuffer>>,
  ): Promise<Float32Array<ArrayBuffer>> {
    const values = await read(name);
    if (!this.#quantized.has(name)) return values;
    const scales = await read(scaleName(name));
    const columns = this.#reader.info(name).shape[1];
    const blocks = q8BlocksOf(columns);
    for (let i = 0; i < values.length; i++)
      values[i] *= scales[Math.floor(i / columns) * blocks + Math.floor((i % columns) / q8Block)];
    return values;
  }
}

export function scaleName(name: string): string {
  return `${name}_scale`;
}

function requireScales(reader: TensorReader, name: string): void {
  const { shape, file } = reader.info(name);
  const [rows, columns] = shape;
  const expected = shape.length === 2 ? `F32 [${rows}, ${q8BlocksOf(columns)}]` : "a matrix";
  const scales = reader.has(scaleName(name)) ? reader.info(scaleName(name)) : undefined;
  const actual =
    shape.length !== 2
      ? `[${shape.join(", ")}]`
      : scales === undefined
        ? "none"
        : `${scales.dtype} [${scales.shape.join(", ")}]`;
  if (actual === expected) return;
  throw new EngineError("bad-input", `I8 tensor ${name} has no fitting ${scaleName(name)}`, {
    where: file,
    expected,
    actual,
    fix: "integers alone are not weights: take another checkpoint, or convert it again",
  });
}
