import { describe, wrongArgument, type Reader } from "./arguments.ts";
import { EngineError } from "../errors.ts";
import { NdArray, type NdArrayData } from "../ndarray.ts";

type TypedArray =
  NdArrayData | Int8Array | Int16Array | Uint16Array | Uint8ClampedArray | BigInt64Array | BigUint64Array;
type Nested = number | bigint | boolean | TypedArray | readonly Nested[];

/** A tensor of transformers.js or ONNX runtime. */
interface TensorLike {
  readonly dims: readonly number[];
  readonly data: unknown;
}

/**
 * Numbers of any kind in an array: an NdArray, a tensor of transformers.js, a typed array, or lists of lists. Booleans
 * are 1 and 0. Where rows are wanted, a typed array is one row.
 */
export type ArrayInput = NdArray | TensorLike | TypedArray | readonly Nested[];

/** Takes anything that can be an array with one of these numbers of axes. @param check runs on its values. */
export function readArray<T extends NdArray = NdArray>(
  axes: readonly number[],
  check: (array: NdArray, name: string) => T,
): Reader<T> {
  return (value, name) => {
    const array = toArray(value, name);
    const rows = isTypedArray(value) && !axes.includes(1) && axes.includes(2) ? array.reshape([1, array.size]) : array;
    if (axes.includes(rows.shape.length)) return check(rows, name);
    throw wrongShape(name, `${axes.join(" or ")} axes`, rows.shape);
  };
}

/** Integers from 0 to `end` - 1: for any other, the GPU would read a wrong row of its table. */
export function checkIds(array: NdArray, name: string, end = 2 ** 31): NdArray {
  const wrong = array.data.findIndex((id) => !Number.isInteger(id) || id < 0 || id >= end);
  if (wrong < 0) return array;
  throw new EngineError("usage", "index out of range", {
    where: name,
    expected: end === 2 ** 31 ? "integers ≥ 0" : `0 to ${end - 1}`,
    actual: array.data[wrong],
  });
}

/** 1 or 0: anything else could mean either. */
export function checkMask(array: NdArray, name: string): NdArray {
  const wrong = array.data.findIndex((seen) => seen !== 0 && seen !== 1);
  if (wrong < 0) return array;
  throw new EngineError("usage", "holds a value that is neither true nor false", {
    where: name,
    expected: "1 (or true) and 0 (or false)",
    actual: array.data[wrong],
  });
}

/** As f32. */
export function checkFinite(array: NdArray, name: string): NdArray<Float32Array<ArrayBuffer>> {
  const data = Float32Array.from(array.data);
  const wrong = data.findIndex((value) => !Number.isFinite(value));
  if (wrong < 0) return new NdArray(data, array.shape);
  throw new EngineError("usage", "holds a value that is not finite", {
    where: name,
    actual: `${array.data[wrong]} at ${wrong}`,
  });
}

function toArray(value: unknown, name: string): NdArray {
  if (value instanceof NdArray) return value as NdArray;
  if (isTypedArray(value)) return new NdArray(toNumbers(value, name), [value.length]);
  if (Array.isArray(value)) return new NdArray(toNumbers(flat(value), name), shapeOf(value, name));
  const { data, dims, shape = dims, type } = (value ?? {}) as Partial<TensorLike & NdArray> & { type?: string };
  if (!isTypedArray(data) || !Array.isArray(shape)) throw wrongArgument(name, "an array of numbers", value);
  // transformers.js keeps float16 as the bits.
  if (type === "float16" && data instanceof Uint16Array)
    throw new EngineError("usage", "is a tensor of float16", { where: name, fix: "convert it to float32" });
  if (shape.reduce((size: number, extent: number) => size * extent, 1) !== data.length)
    throw wrongShape(name, `${data.length} values`, shape);
  return new NdArray(toNumbers(data, name), shape);
}

function isTypedArray(value: unknown): value is TypedArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function shapeOf(value: unknown, name: string): number[] {
  if (isTypedArray(value)) return [value.length];
  if (!Array.isArray(value)) return [];
  const shapes = value.map((item) => shapeOf(item, name));
  const [first = []] = shapes;
  if (shapes.every((shape) => shape.join() === first.join())) return [value.length, ...first];
  const actual = "lists that do not form an array of numbers";
  throw new EngineError("usage", "wrong shape", { where: name, expected: "rows of one length", actual });
}

function flat(value: readonly unknown[]): unknown[] {
  // A hole in a list counts as a value: it is refused, not skipped.
  return [...value].flatMap((item) =>
    isTypedArray(item) ? Array.from<unknown>(item) : Array.isArray(item) ? flat(item) : item,
  );
}

function toNumbers(values: TypedArray | readonly unknown[], name: string): NdArrayData {
  if (NdArray.holds(values)) return values;
  return Float64Array.from(values as readonly unknown[], (value, i) => {
    if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return Number(value);
    throw new EngineError("usage", "holds a value that is not a number", {
      where: name,
      actual: `${describe(value)} at ${i}`,
    });
  });
}

function wrongShape(where: string, expected: string, shape: readonly unknown[]): EngineError {
  return new EngineError("usage", "wrong shape", { where, expected, actual: `shape [${shape.join(", ")}]` });
}
