import { EngineError } from "../engine/errors.ts";
import type { Gpu } from "../engine/gpu.ts";
import type { TensorReader } from "../engine/tensor_reader.ts";
import { LoadProgress } from "./load_progress.ts";
import type { BarkProgress } from "./output.ts";

/** Weights on the GPU. */
interface Weights {
  dispose(): void;
}

/** Who is told of loading, and what stops it. */
export interface LoadWatch {
  signal?: AbortSignal | undefined;
  on_progress?: ((progress: BarkProgress) => void) | undefined;
}

/**
 * Where the weights of a model's parts are: all of them on the GPU, or (offloaded) one part at a time, which is read from
 * the checkpoint again whenever a call needs it. Nothing is kept in host memory.
 */
export class Placement {
  readonly #gpu: Gpu;
  readonly #reader: TensorReader;
  readonly #parts: GpuPart<Weights>[] = [];
  readonly #onDemand = new Set<GpuPart<Weights>>();
  #isOffloaded = false;
  #isDisposed = false;
  /** Settles when all uses so far have ended. */
  #busy: Promise<unknown> = Promise.resolve();

  constructor(gpu: Gpu, reader: TensorReader) {
    this.#gpu = gpu;
    this.#reader = reader;
  }

  /** Adds a part that `load` puts on the GPU, from the tensors whose names begin with `prefix`. */
  add<W extends Weights>(prefix: string, load: (reader: TensorReader) => Promise<W>): GpuPart<W> {
    const part = new GpuPart(this, prefix, load);
    this.#parts.push(part);
    return part;
  }

  /** The same of a part that {@link load} leaves out: it is read when it is used first. */
  addOnDemand<W extends Weights>(prefix: string, load: (reader: TensorReader) => Promise<W>): GpuPart<W> {
    const part = this.add(prefix, load);
    this.#onDemand.add(part);
    return part;
  }

  /** Puts all parts but those on demand on the GPU, or none where one of them fails. */
  async load(watch: LoadWatch): Promise<void> {
    const parts = this.#parts.filter((part) => !this.#onDemand.has(part));
    const [only] = parts.length === 1 ? parts : [];
    const reader = new LoadProgress(this.#reader, watch, only?.prefix);
    try {
      for (const part of parts) await part.load(reader);
    } catch (error) {
      this.#free(this.#parts);
      throw error;
    }
  }

  /** Takes everything off the GPU once the calls that run have ended; from then on one part is there at a time. */
  async offload(): Promise<void> {
    this.#isOffloaded = true;
    await this.release();
  }

  /** Takes the part that was used last off the GPU again, if the parts are offloaded. */
  async release(): Promise<void> {
    if (!this.#isOffloaded) return;
    this.#busy = this.#busy.then(() => this.#free(this.#parts));
    await this.#busy;
  }

  /** What `work` makes of the weights of `part`. Uses of offloaded parts wait for each other. */
  async use<W extends Weights, T>(part: GpuPart<W>, work: (weights: W) => Promise<T>, watch: LoadWatch): Promise<T> {
    const before = this.#isOffloaded ? this.#busy : Promise.resolve();
    const use = before.then(async () => {
      if (this.#isOffloaded) this.#free(this.#parts.filter((other) => other !== part));
      return await work(await this.#weightsOf(part, watch));
    });
    this.#busy = Promise.allSettled([this.#busy, use]);
    return await use;
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#free(this.#parts);
  }

  async #weightsOf<W extends Weights>(part: GpuPart<W>, watch: LoadWatch): Promise<W> {
    const weights = this.#isDisposed ? undefined : await part.load(new LoadProgress(this.#reader, watch, part.prefix));
    // Also where the model was disposed while its weights were read.
    if (!this.#isDisposed && weights !== undefined) return weights;
    part.free();
    throw new EngineError("usage", "the model was disposed", { where: part.prefix.replace(/\.$/, "") });
  }

  #free(parts: readonly GpuPart<Weights>[]): void {
    for (const part of parts) part.free();
    this.#gpu.device.queue.submit([]); // Dawn frees destroyed buffers at a submit.
  }
}

/** The weights of one part of a model. */
export class GpuPart<W extends Weights> {
  readonly prefix: string;
  readonly #placement: Placement;
  readonly #load: (reader: TensorReader) => Promise<W>;
  #weights: W | undefined;

  /** For {@link Placement.add}. */
  constructor(placement: Placement, prefix: string, load: (reader: TensorReader) => Promise<W>) {
    this.#placement = placement;
    this.prefix = prefix;
    this.#load = load;
  }

  /** What `work` makes of the weights, which are on the GPU until it ends. @throws EngineError of loading, too. */
  async use<T>(work: (weights: W) => Promise<T>, watch: LoadWatch = {}): Promise<T> {
    return await this.#placement.use(this, work, watch);
  }

  /** For {@link Placement}. */
  async load(reader: TensorReader): Promise<W> {
    return (this.#weights ??= await this.#load(reader));
  }

  /** For {@link Placement}. */
  free(): void {
    this.#weights?.dispose();
    this.#weights = undefined;
  }
}
