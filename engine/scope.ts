import type { Gpu } from "./gpu.ts";
import type { Program } from "./program.ts";
import type { Dtype, HostArray } from "./dtypes.ts";
import type { Tensor } from "./tensor.ts";

/** Who makes tensors: a {@link Gpu}, whose tensors are freed one by one, or a {@link Scope}, which frees them together. */
export interface TensorMaker {
  readonly gpu: Gpu;
  tensor<D extends Dtype>(dtype: D, shape: readonly number[], label: string): Tensor<D>;
  tensorFrom<D extends Dtype>(dtype: D, shape: readonly number[], data: HostArray, label: string): Tensor<D>;
}

/**
 * Tensors and programs that are freed together, also where making the next of them fails. Whatever allocates more than
 * one does it through a scope: an adapter may refuse any of them.
 */
export class Scope implements TensorMaker {
  readonly gpu: Gpu;
  #kept: { dispose(): void }[] = [];

  constructor(gpu: Gpu) {
    this.gpu = gpu;
  }

  /** What `make` makes with a scope of its own, which its owner disposes; where it fails, all of it is freed. */
  static async whole<T>(gpu: Gpu, make: (scope: Scope) => Promise<T>): Promise<T> {
    const scope = new Scope(gpu);
    try {
      return await make(scope);
    } catch (error) {
      scope.dispose();
      throw error;
    }
  }

  /** What `work` answers; all that it made is freed when it ends. */
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
