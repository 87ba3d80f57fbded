import { packHalves, roundToBfloats, unpackHalves } from "../engine/formats/float16.ts";
import type { TensorInfo, TensorReader } from "../engine/weights/tensor_reader.ts";
import { isStorable } from "./stored_tensor.ts";

type Values = Float32Array<ArrayBuffer>;

/** Values as they are after a dtype has held them. */
const rounders = {
  F16: (values: Values) => unpackHalves(new Uint16Array(packHalves(values).buffer, 0, values.length)),
  BF16: roundToBfloats,
} as const;

/** A checkpoint as it is when all its floats are stored in 16 bits. */
export class RoundedReader implements TensorReader {
  readonly #reader: TensorReader;
  readonly #dtype: keyof typeof rounders;

  constructor(reader: TensorReader, dtype: keyof typeof rounders) {
    this.#reader = reader;
    this.#dtype = dtype;
  }

  names(): Iterable<string> {
    return this.#reader.names();
  }

  has(name: string): boolean {
    return this.#reader.has(name);
  }

  info(name: string): TensorInfo {
    const info = this.#reader.info(name);
    return isStorable(info.dtype) ? { ...info, dtype: this.#dtype } : info;
  }

  async readFloat32(name: string): Promise<Values> {
    return rounders[this.#dtype](await this.#reader.readFloat32(name));
  }

  async readRows(name: string, first: number, count: number): Promise<Values> {
    return rounders[this.#dtype](await this.#reader.readRows(name, first, count));
  }

  async gatherRows(name: string, rows: readonly number[]): Promise<Values> {
    return rounders[this.#dtype](await this.#reader.gatherRows(name, rows));
  }

  async close(): Promise<void> {
    await this.#reader.close();
  }
}
