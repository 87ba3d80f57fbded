import { EngineError } from "./errors.ts";

/** Storage classes of host arrays. 64-bit integers of files are narrowed to int32 when read (token ids fit). */
export type NdArrayData = Float32Array | Int32Array | Uint32Array | Uint8Array | Float64Array;
export type NdArrayDtype = "float32" | "int32" | "uint32" | "uint8" | "float64";

type Nested = number | Nested[];

/** A dense row-major array in host memory: what processors take and models return. */
export class NdArray<T extends NdArrayData = NdArrayData> {
  readonly data: T;
  readonly shape: readonly number[];

  /** @throws EngineError `shape` if an extent is no whole number, or `data.length` not the product of `shape`. */
  constructor(data: T, shape: readonly number[]) {
    const size = shape.reduce((product, extent) => product * extent, 1);
    if (size !== data.length || !shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0))
      throw new EngineError("shape", "array length does not match its shape", {
        expected: `${size} values for shape [${shape.join(", ")}]`,
        actual: `${data.length} values`,
      });
    this.data = data;
    this.shape = [...shape];
  }

  get dtype(): NdArrayDtype {
    return this.data instanceof Float32Array
      ? "float32"
      : this.data instanceof Int32Array
        ? "int32"
        : this.data instanceof Uint32Array
          ? "uint32"
          : this.data instanceof Uint8Array
            ? "uint8"
            : "float64";
  }

  get size(): number {
    return this.data.length;
  }

  /** The same values under another shape; no copy. */
  reshape(shape: readonly number[]): NdArray<T> {
    return new NdArray(this.data, shape);
  }

  /**
   * Drops axes of extent 1: all of them, or the one named (negative: from the end); no copy.
   * @throws EngineError `shape` if the named axis has another extent.
   */
  squeeze(axis?: number): NdArray<T> {
    const named = axis !== undefined && axis < 0 ? axis + this.shape.length : axis;
    if (named !== undefined && this.shape[named] !== 1)
      throw new EngineError("shape", `axis ${axis} of an array of shape [${this.shape.join(", ")}] cannot be dropped`, {
        expected: "an axis of extent 1",
        actual: this.shape[named],
      });
    const kept = this.shape.filter((extent, i) => (named === undefined ? extent !== 1 : i !== named));
    return new NdArray(this.data, kept);
  }

  /** Row `index` of the first axis; a view, no copy. */
  row(index: number): NdArray<T> {
    const [rows, ...rest] = this.shape;
    if (rows === undefined || index < 0 || index >= rows)
      throw new EngineError("shape", `row ${index} of an array of shape [${this.shape.join(", ")}]`);
    const width = this.data.length / rows;
    return new NdArray(this.data.subarray(index * width, (index + 1) * width) as T, rest);
  }

  /** Nested plain arrays, as numpy's `tolist`. */
  tolist(): Nested {
    const build = (axis: number, offset: number, stride: number): Nested => {
      if (axis === this.shape.length) return this.data[offset];
      const step = stride / this.shape[axis];
      return Array.from({ length: this.shape[axis] }, (_, i) => build(axis + 1, offset + i * step, step));
    };
    return build(0, 0, this.data.length);
  }
}
