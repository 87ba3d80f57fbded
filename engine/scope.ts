import type { Gpu } from "./gpu.ts";
import type { Program } from "./program/program.ts";
import type { Dtype, HostArray } from "./dtypes.ts";
import type { Tensor } from "./tensor.ts";

/** Makes tensors: a {@link Gpu}, whose tensors are freed one by one, or a {@link Scope}, which frees them together. */
export interface TensorMaker {
  readonly gpu: Gpu;
  tensor<D extends Dtype>(dtype: D, shape: readonly number[], label: string): Tensor<D>;
  tensorFrom<D extends Dtype>(dtype: D, shape: readonly number[], data: HostArray, label: string): Tensor<D>;
}

/**
 * Frees its tensors and programs together, also when making the next one fails. Code that allocates more than one uses a
 * scope, because an adapter may refuse any of them.
 */
export class Scope implements TensorMaker {
  readonly gpu: Gpu;
  #kept: { dispose(): void }[] = [];

  constructor(gpu: Gpu) {
    this.gpu = gpu;
  }

  /** The result of `make`, which owns its scope; if `make` fails, the scope is freed. */
  static async whole<T>(gpu: Gpu, make: (scope: Scope) => Promise<T>): Promise<T> {
    const scope = new Scope(gpu);
    try {
      return await make(scope);
    } catch (error) {
      scope.dispose();
      throw error;
    }
  }

  /** The result of `work`; everything that it made is freed at its end. */
  static async during<T>(gpu: Gpu, work: (scope: Scope) => Promise<T>): Promise<T> {
    const scope = new Scope(gpu);
    try {
      return await work(scope);
    } finally {
      scope.dispose();
    }
  }

  tensor<D extends Dtype>(dtype: D, shape: readonly number[], label: string): Tensor<D> {
    return this.keep(this.gpu.tensor(dtype, shape, label));
  }

  tensorFrom<D extends Dtype>(dtype: D, shape: readonly number[], data: HostArray, label: string): Tensor<D> {
    return this.keep(this.gpu.tensorFrom(dtype, shape, data, label));
  }

  program(label: string): Program {
    return this.keep(this.gpu.program(label));
  }

  keep<T extends { dispose(): void }>(thing: T): T {
    this.#kept.push(thing);
    return thing;
  }

  /** Frees everything; the scope is empty then, and can be filled again. */
  dispose(): void {
    const kept = this.#kept;
    this.#kept = [];
    for (const thing of kept) thing.dispose();
  }
}
