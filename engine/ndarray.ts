import { describe } from "./check/arguments.ts";
import { EngineError } from "./errors.ts";

/** Storage classes of host arrays. 64-bit integers of files are narrowed to int32 when read (token ids fit). */
export type NdArrayData = Float32Array | Int32Array | Uint32Array | Uint8Array | Float64Array;

const dtypes = {
  Float32Array: "float32",
  Int32Array: "int32",
  Uint32Array: "uint32",
  Uint8Array: "uint8",
  Float64Array: "float64",
} as const;
export type NdArrayDtype = (typeof dtypes)[keyof typeof dtypes];

type Nested = number | Nested[];

/** A dense row-major array in host memory: what processors take and models return. */
export class NdArray<T extends NdArrayData = NdArrayData> {
  readonly data: T;
  readonly shape: readonly number[];

  /** @throws EngineError `usage` if an extent is not a whole number, or `data.length` is not the product of `shape`. */
  constructor(data: T, shape: readonly number[]) {
    if (!NdArray.holds(data)) throw wrong("data", Object.keys(dtypes).join(", "), data);
    if (!isShape(shape)) throw wrong("shape", "a list of integers ≥ 0", shape);
    const size = shape.reduce((product, extent) => product * extent, 1);
    if (size !== data.length)
      throw new EngineError("usage", "array length does not match its shape", {
        where: "data",
        expected: `${size} values for shape [${shape.join(", ")}]`,
        actual: `${data.length} values`,
      });
    this.data = data;
    this.shape = [...shape];
  }

  /** Whether `data` is one of these typed arrays, also from another frame or context. */
  static holds(data: unknown): data is NdArrayData {
    return ArrayBuffer.isView(data) && Object.hasOwn(dtypes, (data as NdArrayData)[Symbol.toStringTag]);
  }

  get dtype(): NdArrayDtype {
    return dtypes[this.data[Symbol.toStringTag]];
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
   * @throws EngineError `usage` if the named axis has another extent.
   */
  squeeze(axis?: number | null): NdArray<T> {
    const named = typeof axis === "number" && axis < 0 ? axis + this.shape.length : (axis ?? undefined);
    if (named !== undefined && !(Number.isInteger(named) && this.shape[named] === 1))
      throw new EngineError("usage", `cannot be dropped from an array of shape [${this.shape.join(", ")}]`, {
        where: `axis ${String(axis)}`,
        expected: "an axis of extent 1",
        actual: this.shape[named],
      });
    const kept = this.shape.filter((extent, i) => (named === undefined ? extent !== 1 : i !== named));
    return new NdArray(this.data, kept);
  }

  /** Row `index` of the first axis; a view, no copy. */
  row(index: number): NdArray<T> {
    const [rows, ...rest] = this.shape;
    if (rows === undefined || !Number.isInteger(index) || index < 0 || index >= rows)
      throw new EngineError("usage", `not in an array of shape [${this.shape.join(", ")}]`, {
        where: `row ${String(index)}`,
      });
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

function wrong(where: string, expected: string, value: unknown): EngineError {
  const list = Array.isArray(value) ? `[${value.map(String).join(", ")}]`.slice(0, 60) : undefined;
  return new EngineError("usage", "cannot be that of an array", { where, expected, actual: list ?? describe(value) });
}

function isShape(shape: unknown): shape is readonly number[] {
  return Array.isArray(shape) && shape.every((extent) => Number.isSafeInteger(extent) && (extent as number) >= 0);
}
