import { EngineError } from "./errors.ts";
import type { Device } from "./device/device.ts";
import { hostArrays, type Dtype, type HostArray } from "./dtypes.ts";

/** One GPU buffer with a shape, a dtype and a label. `gpu.tensor()` makes it. */
export class Tensor<D extends Dtype = Dtype> {
  readonly device: Device;
  readonly buffer: GPUBuffer;
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly label: string;
  #disposed = false;

  constructor(device: Device, buffer: GPUBuffer, dtype: D, shape: readonly number[], label: string) {
    this.device = device;
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
    const bytes = await this.device.readBuffer(this.buffer, first * 4, count * 4, this.label);
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
    this.device.writeBuffer(this.buffer, first * 4, data);
  }

  /** @throws EngineError `internal` if it was disposed: WebGPU would fail the whole submit, without a name. */
  requireAlive(user = ""): void {
    if (this.#disposed) throw new EngineError("internal", "tensor was disposed", { where: `${user}${this.label}` });
  }

  /** Frees the buffer. Work already submitted still completes. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.device.releaseBuffer(this.buffer, this.label);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
