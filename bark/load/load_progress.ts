import { EngineError } from "../../engine/errors.ts";
import type { TensorInfo, TensorReader } from "../../engine/weights/tensor_reader.ts";
import type { BarkProgress } from "../generate/output.ts";

/** Buffers of older files that nothing reads, and the half of the codec that speaking does not need. */
const unread = /\.attn\.bias$|^codec_model\.encoder\.|\.codebook\.(embed_avg|cluster_size|inited)$/;

/** A reader that reports how much of the weights it has read, and stops at a signal. */
export class LoadProgress implements TensorReader {
  readonly #reader: TensorReader;
  readonly #signal: AbortSignal | undefined;
  readonly #onProgress: ((progress: BarkProgress) => void) | undefined;
  readonly #start = performance.now();
  readonly #total: number;
  readonly #counted = new Set<string>();
  #done = 0;

  constructor(
    reader: TensorReader,
    options: { signal?: AbortSignal | undefined; on_progress?: ((progress: BarkProgress) => void) | undefined },
    /** What is loaded: tensors whose name begins so. */
    prefix = "",
  ) {
    this.#reader = reader;
    this.#signal = options.signal;
    this.#onProgress = options.on_progress;
    this.#total = Array.from(reader.names())
      .filter((name) => name.startsWith(prefix) && !unread.test(name))
      .reduce((sum, name) => sum + sizeOf(reader.info(name).shape), 0);
  }

  names(): Iterable<string> {
    return this.#reader.names();
  }

  has(name: string): boolean {
    return this.#reader.has(name);
  }

  info(name: string): TensorInfo {
    return this.#reader.info(name);
  }

  async readFloat32(name: string): Promise<Float32Array<ArrayBuffer>> {
    return this.#count(name, await this.#reader.readFloat32(name));
  }

  /** The rest of the tensor stays in the file, which is all that loading does with it. */
  async readRows(name: string, first: number, count: number): Promise<Float32Array<ArrayBuffer>> {
    return this.#count(name, await this.#reader.readRows(name, first, count));
  }

  /** Not reported: rows gathered during a run are not part of loading. */
  async gatherRows(name: string, rows: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    return await this.#reader.gatherRows(name, rows);
  }

  async close(): Promise<void> {
    await this.#reader.close();
  }

  #count(name: string, values: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
    if (this.#signal?.aborted)
      throw new EngineError("aborted", "loading was stopped", { where: "load", cause: this.#signal.reason });
    // A tied head reads its token table once more.
    if (!this.#counted.has(name)) this.#done += sizeOf(this.info(name).shape);
    this.#counted.add(name);
    this.#onProgress?.({
      stage: "load",
      done: this.#done,
      total: Math.max(this.#done, this.#total),
      totalIsKnown: true,
      milliseconds: performance.now() - this.#start,
    });
    return values;
  }
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}
