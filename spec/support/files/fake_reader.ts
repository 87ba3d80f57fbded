import type { TensorInfo, TensorReader } from "../../../engine/weights/tensor_reader.ts";

export interface FakeTensor {
  dtype: string;
  shape: readonly number[];
  values?: readonly number[];
}

/** Tensors in memory, whatever they say of themselves; it notes what is read of them. */
export class FakeReader implements TensorReader {
  readonly reads: [name: string, ...of: unknown[]][] = [];
  isOpen = true;
  readonly #tensors: Readonly<Record<string, FakeTensor>>;

  constructor(tensors: Readonly<Record<string, FakeTensor>>) {
    this.#tensors = tensors;
  }

  names(): Iterable<string> {
    return Object.keys(this.#tensors);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#tensors, name);
  }

  info(name: string): TensorInfo {
    const { dtype, shape } = this.#tensors[name];
    return { dtype, shape, file: "x.bin" };
  }

  async readFloat32(name: string): Promise<Float32Array<ArrayBuffer>> {
    this.reads.push([name]);
    return Float32Array.from(this.#tensors[name].values ?? []);
  }

  async readRows(name: string, first: number, count: number): Promise<Float32Array<ArrayBuffer>> {
    this.reads.push([name, first, count]);
    return this.#rows(name, first, first + count);
  }

  async gatherRows(name: string, rows: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    this.reads.push([name, rows]);
    return Float32Array.from(rows.flatMap((row) => [...this.#rows(name, row, row + 1)]));
  }

  async close(): Promise<void> {
    this.isOpen = false;
  }

  #rows(name: string, first: number, end: number): Float32Array<ArrayBuffer> {
    const { shape, values = [] } = this.#tensors[name];
    const width = values.length / shape[0];
    return Float32Array.from(values.slice(first * width, end * width));
  }
}
