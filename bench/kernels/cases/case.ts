import { floatToHalf, halfToFloat } from "../../../engine/formats/float16.ts";
import type { Gpu } from "../../../engine/gpu.ts";
import type { Program } from "../../../engine/program/program.ts";
import type { MatrixFormat, WeightFormat } from "../../../engine/dtypes.ts";
import { Tensor } from "../../../engine/tensor.ts";
import type { Dtype, HostArray } from "../../../engine/dtypes.ts";
import { uncachedBytes } from "../../roofline/roofline.ts";
import type { Operation } from "./operation.ts";

/** One op at one of the shapes that it has in Bark. */
export interface KernelCase {
  /** Name of the op: its folder in kernels/. */
  readonly op: string;
  /** The shape, for people. */
  readonly shape: string;
  /** Versions that can be forced, the plainest first. One entry: the op has one version. */
  readonly versions: readonly string[];
  /** How far off versions may be that are not as exact as f32, as a share of the largest value. */
  readonly errors?: Readonly<Record<string, number>>;
  /** Floating-point operations of a run; 0 where bytes alone say how much work it is. */
  readonly flops: number;
  /** Bytes that a run cannot do without reading or writing once, for weights of `bytesOfWeight` bytes each. */
  readonly bytes: (bytesOfWeight: number) => number;
  /** Puts the operands on the GPU. */
  readonly prepare: (scope: Scope) => PreparedCase | Promise<PreparedCase>;
}

export interface PreparedCase {
  /** Copies of the operands. */
  readonly copies: number;
  /** Records one run on copy `copy`; without a version, the one that the engine would choose. */
  readonly record: (program: Program, version: string | undefined, copy: number) => void;
  /** Overwrites what an earlier run left in the results of copy 0. */
  readonly reset: () => void;
  /** What of the result of one run on copy 0, or of another engine's, is held against the reference. */
  readonly check: (result?: Float32Array) => Promise<readonly Comparison[]>;
  /** The same work for other engines, where some have kernels for it. */
  readonly operation?: () => Operation;
}

export interface Comparison {
  readonly actual: ArrayLike<number>;
  readonly expected: ArrayLike<number>;
  /** Picked ids: any other is wrong, however near its number. */
  readonly exact?: boolean;
}

/** Owns the tensors of a case. */
export class Scope {
  readonly gpu: Gpu;
  readonly matrixFormat: MatrixFormat;
  readonly #tensors = new Set<Tensor>();
  readonly #adopted: { dispose(): void }[] = [];

  constructor(gpu: Gpu, format: MatrixFormat) {
    this.gpu = gpu;
    this.matrixFormat = format;
  }

  /** That of weights which are no matrix of a product. */
  get format(): WeightFormat {
    if (this.matrixFormat === "q8") throw new Error("only matrices come in q8");
    return this.matrixFormat;
  }

  tensor<D extends Dtype>(dtype: D, shape: readonly number[]): Tensor<D> {
    return this.own(this.gpu.tensor(dtype, shape, "bench"));
  }

  tensorFrom<D extends Dtype>(dtype: D, data: HostArray, shape: readonly number[] = [data.length]): Tensor<D> {
    return this.own(this.gpu.tensorFrom(dtype, shape, data, "bench"));
  }

  /** Frees every tensor in `value` (a tensor, or an object that holds some) with this scope. */
  own<T extends object>(value: T): T {
    for (const tensor of tensorsIn(value)) this.#tensors.add(tensor);
    return value;
  }

  /** Disposes something else with this scope. */
  adopt<T extends { dispose(): void }>(value: T): T {
    this.#adopted.push(value);
    return value;
  }

  /** The values that remain of weights in this format. */
  stored(weights: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
    return this.format === "f32" ? weights : weights.map((value) => halfToFloat(floatToHalf(value)));
  }

  /** `value` and as many copies of it as no cache holds, at most `most`. */
  async uncached<T extends object>(value: T, most = Infinity): Promise<T[]> {
    const bytes = tensorsIn(value).reduce((sum, tensor) => sum + tensor.buffer.size, 0);
    const count = Math.max(1, Math.min(most, Math.ceil(uncachedBytes / bytes)));
    const copies = [value];
    const program = this.gpu.program("bench copies");
    while (copies.length < count) copies.push(this.own(this.#copy(program, value)));
    if (count > 1) await program.run();
    program.dispose();
    return copies;
  }

  #copy<T extends object>(program: Program, value: T): T {
    const tensor: object = value;
    if (isTensor(tensor)) {
      const copy = this.gpu.tensor(tensor.dtype, tensor.shape, tensor.label);
      program.copy(tensor, 0, copy, 0, tensor.buffer.size / 4);
      return copy as T & Tensor;
    }
    const entries = Object.entries(value).map(([name, field]: [string, unknown]) => [
      name,
      typeof field === "object" && field !== null ? this.#copy(program, field) : field,
    ]);
    return Object.fromEntries(entries) as T;
  }

  dispose(): void {
    for (const tensor of this.#tensors) tensor.dispose();
    this.#tensors.clear();
    for (const adopted of this.#adopted.splice(0)) adopted.dispose();
  }
}

/** `instanceof` alone would give a tensor of `any`. */
function isTensor(value: object): value is Tensor {
  return value instanceof Tensor;
}

function tensorsIn(value: object): Tensor[] {
  if (isTensor(value)) return [value];
  const fields = Object.values(value).filter((field): field is object => typeof field === "object" && field !== null);
  return fields.flatMap(tensorsIn);
}

/** Puts a value in an f32 tensor that no run leaves there. */
export function poison(tensor: Tensor<"f32">): void {
  tensor.write(new Float32Array(tensor.size).fill(12345));
}

/** Up to `count` numbers below `size`, the first and the last among them. */
export function sampleOf(size: number, count: number): number[] {
  if (size <= count) return Array.from({ length: size }, (_, i) => i);
  return Array.from({ length: count }, (_, i) => Math.round((i * (size - 1)) / (count - 1)));
}

/** The named rows of a matrix [n, width], one after another. */
export function takeRows(values: Float32Array, width: number, rows: readonly number[]): Float32Array<ArrayBuffer> {
  const result = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries()) result.set(values.subarray(row * width, (row + 1) * width), i * width);
  return result;
}

/** The named rows of a tensor [n, width], or of its values. */
export async function readRows(
  tensor: Tensor<"f32"> | Float32Array,
  width: number,
  rows: readonly number[],
): Promise<Float32Array<ArrayBuffer>> {
  if (tensor instanceof Float32Array) return takeRows(tensor, width, rows);
  const result = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries()) result.set(await tensor.read(row * width, width), i * width);
  return result;
}
