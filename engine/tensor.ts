import { EngineError } from "./errors.ts";
import type { Gpu } from "./gpu.ts";

/**
 * Element types on the GPU. `f16` is packed two to a u32, low half first, and read with `unpack2x16float`. `q8` is a
 * matrix in blocks of 32 by 4 values: four scales (f32), then 32 words of four integers of 8 bits.
 */
export type Dtype = "f32" | "f16" | "q8" | "u32" | "i32";

export type HostArray = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

const hostArrays = { f32: Float32Array, f16: Uint32Array, q8: Uint32Array, u32: Uint32Array, i32: Int32Array } as const;

/** Bytes a tensor of `elements` values takes; WebGPU cannot bind an empty buffer, so at least 4. */
export function tensorBytes(dtype: Dtype, elements: number): number {
  const words = { f16: Math.ceil(elements / 2), q8: (elements / 128) * 36 };
  return Math.max(4 * (dtype === "f16" || dtype === "q8" ? words[dtype] : elements), 4);
}

/** One GPU buffer with a shape, a dtype and a label. Made by {@link Gpu.tensor}. */
export class Tensor<D extends Dtype = Dtype> {
  readonly gpu: Gpu;
  readonly buffer: GPUBuffer;
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly label: string;
  #disposed = false;

  constructor(gpu: Gpu, buffer: GPUBuffer, dtype: D, shape: readonly number[], label: string) {
    this.gpu = gpu;
    this.buffer = buffer;
    this.dtype = dtype;
    this.shape = [...shape];
    this.label = label;
  }

  get size(): number {
    return this.shape.reduce((product, extent) => product * extent, 1);
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /**
   * Copies `count` elements from element `first` to host memory, after all work submitted so far.
   * f16 and q8 come back packed, as u32 words; `first` and `count` then count words.
   */
  async read(first = 0, count: number = this.size - first): Promise<HostArray> {
    this.requireAlive();
    const bytes = await this.gpu.readBuffer(this.buffer, first * 4, count * 4, this.label);
    return new hostArrays[this.dtype](bytes);
  }

  /** Writes host values from element `first` on; ordered before the next submit. */
  write(data: HostArray, first = 0): void {
    this.requireAlive();
    if ((first + data.length) * 4 > this.buffer.size)
      throw new EngineError("shape", "write past the end of a tensor", {
        where: this.label,
        expected: `at most ${this.buffer.size / 4 - first} words`,
        actual: `${data.length} words`,
      });
    this.gpu.writeBuffer(this.buffer, first * 4, data);
  }

  /** @throws EngineError `internal` if it was disposed: WebGPU would fail the whole submit, without a name. */
  requireAlive(user = ""): void {
    if (this.#disposed) throw new EngineError("internal", "tensor was disposed", { where: `${user}${this.label}` });
  }

  /** Frees the buffer. Work already submitted still completes. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.gpu.releaseBuffer(this.buffer, this.label);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
