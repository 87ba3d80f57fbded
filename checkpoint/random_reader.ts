import { EngineError } from "../engine/errors.ts";
import type { ExpectedTensor, Initial } from "../engine/weights/expected_tensors.ts";
import type { TensorInfo, TensorReader } from "../engine/weights/tensor_reader.ts";
import { gatherRows } from "./gather_rows.ts";
import { missingTensor } from "./safetensors/file.ts";

type Values = Float32Array<ArrayBuffer>;

interface RandomTensor {
  readonly shape: readonly number[];
  readonly initial: Initial;
}

/** A large Bark has 770 tensors, the largest of 1.3e8 values. A config may ask for any number: more fails at once. */
const mostTensors = 2e4;
const mostValues = 2 ** 30;

/**
 * The weights of a new model: made from a seed when they are read, so that they are never in memory at once. A value
 * depends on the seed, the tensor's name and its place alone; in whatever parts it is read, it is the same.
 */
export class RandomReader implements TensorReader {
  readonly #name: string;
  readonly #seed: bigint;
  readonly #tensors = new Map<string, RandomTensor>();

  /** @param name for errors. @throws EngineError `bad-input` if a model is larger than any machine can hold. */
  constructor(name: string, seed: bigint, tensors: Iterable<ExpectedTensor>) {
    this.#name = name;
    this.#seed = seed;
    for (const { names, newName = names[0], shape, initial } of tensors) {
      if (initial !== undefined) this.#tensors.set(newName, { shape, initial });
      if (this.#tensors.size > mostTensors || sizeOf(shape) > mostValues)
        throw new EngineError("bad-input", "is too large a configuration", {
          where: `${name}: ${newName}`,
          expected: `at most ${mostTensors} tensors, each of ${mostValues} values`,
          actual: `tensor ${this.#tensors.size}, [${shape.join(", ")}]`,
        });
    }
  }

  names(): Iterable<string> {
    return this.#tensors.keys();
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  info(name: string): TensorInfo {
    return { dtype: "F32", shape: this.#tensor(name).shape, file: this.#name };
  }

  async readFloat32(name: string): Promise<Values> {
    return Promise.resolve(this.#values(name, 0, sizeOf(this.#tensor(name).shape)));
  }

  async readRows(name: string, first: number, count: number): Promise<Values> {
    const width = sizeOf(this.#tensor(name).shape.slice(1));
    return Promise.resolve(this.#values(name, first * width, count * width));
  }

  async gatherRows(name: string, rows: readonly number[]): Promise<Values> {
    const width = sizeOf(this.#tensor(name).shape.slice(1));
    return await gatherRows(rows, width, (first, count) => this.readRows(name, first, count));
  }

  async close(): Promise<void> {
    return Promise.resolve();
  }

  #tensor(name: string): RandomTensor {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw missingTensor(name, this.#name);
    return tensor;
  }

  #values(name: string, first: number, count: number): Values {
    const { initial } = this.#tensor(name);
    const values = new Float32Array(count);
    if ("constant" in initial) return values.fill(initial.constant);
    if ("rowNorms" in initial) return this.#rowNorms(initial.rowNorms, first, count);
    const [key0, key1] = keysOf(`${this.#seed}/${name}`);
    // Spelt out twice: a function called for each value costs as much as the value.
    if ("normal" in initial)
      for (let i = 0; i < count; i++) values[i] = initial.normal * normalQuantile(uniform(first + i, key0, key1));
    else for (let i = 0; i < count; i++) values[i] = initial.uniform * (2 * uniform(first + i, key0, key1) - 1);
    return values;
  }

  #rowNorms(name: string, first: number, count: number): Values {
    const width = sizeOf(this.#tensor(name).shape.slice(1));
    const rows = this.#values(name, first * width, count * width);
    const squares = new Float64Array(count);
    for (let i = 0; i < rows.length; i++) squares[Math.floor(i / width)] += rows[i] ** 2;
    return Float32Array.from(squares, Math.sqrt);
  }
}

/** Number `index` of a sequence over (0, 1), which the two keys name; any index costs the same. */
function uniform(index: number, key0: number, key1: number): number {
  return ((mix(mix(index ^ key0) + key1) >>> 0) + 0.5) / 2 ** 32;
}

/** Every bit of the result depends on every bit of x (Wellons 2018, "lowbias32"). */
function mix(x: number): number {
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  return x ^ (x >>> 16);
}

/** Two hashes of a text (FNV-1a). */
function keysOf(text: string): [number, number] {
  const hash = (start: number): number => {
    let value = start;
    for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
    return mix(value);
  };
  return [hash(0x811c9dc5), hash(0x9e3779b9)];
}

/** The standard normal value below which a share p lies, to seven digits (Wichura 1988, algorithm AS 241, PPND7). */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    const above = ((59.10937472 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179;
    return (q * above) / (((67.1875636 * r + 78.757757664) * r + 17.895169469) * r + 1);
  }
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p)) - 1.6;
  const above = ((0.17023821103 * r + 1.3067284816) * r + 2.75681539) * r + 1.4234372777;
  const value = above / ((0.12021132975 * r + 0.7370016425) * r + 1);
  return q < 0 ? -value : value;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}
