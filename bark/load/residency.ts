import { EngineError } from "../../engine/errors.ts";
import { openGpu, type Gpu } from "../../engine/gpu.ts";
import type { TensorReader } from "../../engine/weights/tensor_reader.ts";
import { gpuOf, type DeviceArguments } from "./prepare.ts";
import { LoadProgress } from "./load_progress.ts";
import { noticeOf, type OnNotice } from "../../engine/notice.ts";
import type { BarkProgress } from "../generate/output.ts";

/** Weights on the GPU. */
interface Weights {
  dispose(): void;
}

type Load<W> = (gpu: Gpu, reader: TensorReader) => Promise<W>;

/** The listener for loading, and the signal that stops it. */
export interface LoadWatch {
  signal?: AbortSignal | undefined;
  on_progress?: ((progress: BarkProgress) => void) | undefined;
}

/**
 * A model's checkpoint, its device, and where its weights live: all parts on the GPU, or (offloaded) one part at a time,
 * read from the checkpoint again whenever a call needs it. Host memory keeps nothing.
 */
export class Residency {
  readonly reader: TensorReader;
  readonly #ownsGpu: boolean;
  readonly #recovers: boolean;
  readonly #notice: OnNotice;
  readonly #parts: ResidentPart<Weights>[] = [];
  readonly #onDemand = new Set<ResidentPart<Weights>>();
  #gpu: Gpu;
  #isOffloaded = false;
  #isDisposed = false;
  /** Settles when all uses so far have ended; without their values, or every answer would live as long as the model. */
  #busy: Promise<void> = Promise.resolve();
  #reopening: Promise<void> | undefined;

  private constructor(gpu: Gpu, reader: TensorReader, options: DeviceArguments) {
    this.#gpu = gpu;
    this.reader = reader;
    this.#ownsGpu = options.gpu === undefined;
    this.#recovers = options.recover === true;
    this.#notice = noticeOf(options.onNotice);
  }

  /**
   * The result of `make` on the weights that `open` gives and a device; if it fails, both are closed.
   * @param check compares the weights with the config before a device is opened.
   */
  static async opened<C, T>(
    open: () => Promise<TensorReader>,
    options: DeviceArguments,
    check: (reader: TensorReader) => C,
    make: (residency: Residency, checked: C) => Promise<T>,
  ): Promise<T> {
    if (options.recover === true && options.gpu !== undefined)
      throw new EngineError("usage", "a device that the caller opened cannot be opened anew", {
        where: "recover",
        fix: "leave out gpu, or recover",
      });
    const reader = await open();
    let residency: Residency | undefined;
    try {
      const checked = check(reader);
      residency = new Residency(await gpuOf(options), reader, options);
      return await make(residency, checked);
    } catch (error) {
      residency?.dispose();
      await reader.close();
      throw error;
    }
  }

  /** The device; another one after a loss and recovery. */
  get gpu(): Gpu {
    return this.#gpu;
  }

  /** Adds a part that `load` puts on the GPU, from the tensors whose names begin with `prefix`. */
  add<W extends Weights>(prefix: string, load: Load<W>): ResidentPart<W> {
    const part = new ResidentPart(this, prefix, load);
    this.#parts.push(part);
    return part;
  }

  /** The same for a part that {@link load} leaves out: it is read at its first use. */
  addOnDemand<W extends Weights>(prefix: string, load: Load<W>): ResidentPart<W> {
    const part = this.add(prefix, load);
    this.#onDemand.add(part);
    return part;
  }

  /** Puts all parts on the GPU except those on demand; if one fails, none stays. */
  async load(watch: LoadWatch): Promise<void> {
    const parts = this.#parts.filter((part) => !this.#onDemand.has(part));
    const prefix = parts.length === 1 ? parts[0].prefix : "";
    await this.#withRecovery("loading", async () => {
      try {
        const reader = new LoadProgress(this.reader, watch, prefix);
        for (const part of parts) await part.load(this.#gpu, reader);
        // A device that was lost meanwhile accepts writes in silence.
        await this.#gpu.idle();
      } catch (error) {
        this.#free(this.#parts);
        throw error;
      }
    });
  }

  /** Frees all weights once the running calls have ended; from then on one part is on the GPU at a time. */
  async offload(): Promise<void> {
    this.#isOffloaded = true;
    await this.release();
  }

  /** Frees the last used part, if the parts are offloaded. */
  async release(): Promise<void> {
    if (!this.#isOffloaded) return;
    this.#busy = this.#busy.then(() => this.#free(this.#parts));
    await this.#busy;
  }

  /** The result of `work` on the weights of `part`. Uses of offloaded parts wait for each other. */
  async use<W extends Weights, T>(
    part: ResidentPart<W>,
    work: (weights: W) => Promise<T>,
    watch: LoadWatch,
  ): Promise<T> {
    // Read when the call is made: a call that did not wait for earlier ones must not free their weights.
    const isOffloaded = this.#isOffloaded;
    const before = isOffloaded ? this.#busy : Promise.resolve();
    const use = before.then(() =>
      this.#withRecovery(part.name, async () => {
        if (isOffloaded) this.#free(this.#parts.filter((other) => other !== part));
        return await work(await this.#weightsOf(part, watch));
      }),
    );
    this.#busy = Promise.allSettled([this.#busy, use]).then(() => undefined);
    return await use;
  }

  /** Whether one part is on the GPU at a time. */
  get isOffloaded(): boolean {
    return this.#isOffloaded;
  }

  /**
   * What `work` yields on the weights of several parts, which stay on the GPU until it ends; not for offloaded parts. With
   * `recover` it begins anew on a new device if that is lost; what it yielded before is left out then, so it must yield the
   * same again.
   */
  async *stream<W extends Record<string, Weights>, T, R>(
    parts: { readonly [K in keyof W]: ResidentPart<W[K]> },
    work: (weights: W) => AsyncGenerator<T, R, undefined>,
    watch: LoadWatch,
  ): AsyncGenerator<T, R, undefined> {
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    this.#busy = Promise.all([this.#busy, ended]).then(() => undefined);
    let yielded = 0;
    try {
      for (let canRecover = this.#recovers; ; canRecover = false) {
        const gpu = this.#gpu;
        try {
          return yield* counted(work(await this.#weightsOfAll(parts, watch)));
        } catch (error) {
          if (this.#isDisposed) throw disposedError("model");
          if (!canRecover || !(error instanceof EngineError) || error.code !== "device-lost") throw error;
          await this.#replace(gpu, `${error.problem}: it was opened anew, and the stream goes on`);
        }
      }
    } finally {
      end();
    }

    async function* counted(steps: AsyncGenerator<T, R, undefined>): AsyncGenerator<T, R, undefined> {
      let number = 0;
      try {
        for (;;) {
          const { done, value } = await steps.next();
          if (done === true) return value;
          if (number++ < yielded) continue;
          yielded = number;
          yield value;
        }
      } finally {
        await steps.return(undefined as never);
      }
    }
  }

  async #weightsOfAll<W extends Record<string, Weights>>(
    parts: { readonly [K in keyof W]: ResidentPart<W[K]> },
    watch: LoadWatch,
  ): Promise<W> {
    const loaded: Partial<W> = {};
    for (const name of Object.keys(parts) as (keyof W)[]) loaded[name] = await this.#weightsOf(parts[name], watch);
    return loaded as W;
  }

  /** Frees the weights, and closes the checkpoint, and the device if it was opened here. Calls under way end with `usage`. */
  dispose(): void {
    this.#isDisposed = true;
    this.#free(this.#parts);
    void this.reader.close();
    if (this.#ownsGpu) this.#gpu.dispose();
  }

  async #weightsOf<W extends Weights>(part: ResidentPart<W>, watch: LoadWatch): Promise<W> {
    if (this.#isDisposed) throw disposedError(part.name);
    return await part.load(this.#gpu, new LoadProgress(this.reader, watch, part.prefix));
  }

  /** Runs `work`; with `recover`, once more on a new device if it is lost meanwhile. */
  async #withRecovery<T>(name: string, work: () => Promise<T>): Promise<T> {
    const gpu = this.#gpu;
    try {
      return await this.#unlessDisposed(name, work);
    } catch (error) {
      if (!this.#recovers || !(error instanceof EngineError) || error.code !== "device-lost") throw error;
      await this.#replace(gpu, `${error.problem}: it was opened anew, and ${name} is repeated`);
      return await this.#unlessDisposed(name, work);
    }
  }

  /** Whatever fails after the model was disposed fails because of that. */
  async #unlessDisposed<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.#isDisposed ? disposedError(name) : error;
    }
  }

  /** Calls that lost the same device share one new one. */
  async #replace(lost: Gpu, notice: string): Promise<void> {
    if (lost !== this.#gpu) return;
    this.#reopening ??= this.#reopen(lost, notice).finally(() => (this.#reopening = undefined));
    await this.#reopening;
  }

  async #reopen(lost: Gpu, notice: string): Promise<void> {
    this.#free(this.#parts);
    lost.dispose();
    // The same adapter and the same kernels, or other tokens might come out.
    const gpu = await openGpu({ device: lost.request, versions: Object.fromEntries(lost.versions) });
    this.#gpu = gpu;
    if (this.#isDisposed) gpu.dispose();
    else this.#notice(notice);
  }

  #free(parts: readonly ResidentPart<Weights>[]): void {
    for (const part of parts) part.free();
    this.#gpu.flush();
  }
}

function disposedError(name: string): EngineError {
  return new EngineError("usage", "the model was disposed", { where: name });
}

/** The weights of one part of a model. */
export class ResidentPart<W extends Weights> {
  readonly prefix: string;
  readonly #residency: Residency;
  readonly #load: Load<W>;
  #weights: W | undefined;
  #loading: Promise<W> | undefined;

  /** For {@link Residency.add}. */
  constructor(residency: Residency, prefix: string, load: Load<W>) {
    this.#residency = residency;
    this.prefix = prefix;
    this.#load = load;
  }

  get gpu(): Gpu {
    return this.#residency.gpu;
  }

  /** For people. */
  get name(): string {
    return this.prefix.replace(/\.$/, "") || "model";
  }

  /** The result of `work` on the weights, which stay on the GPU until it ends. @throws EngineError of loading, too. */
  async use<T>(work: (weights: W) => Promise<T>, watch: LoadWatch = {}): Promise<T> {
    return await this.#residency.use(this, work, watch);
  }

  /** For {@link Residency}. Calls that come while it loads wait for the same weights. */
  async load(gpu: Gpu, reader: TensorReader): Promise<W> {
    if (this.#weights !== undefined) return this.#weights;
    if (this.#loading !== undefined) {
      // The other call's signal may have stopped it; this call goes on.
      await this.#loading.catch(() => undefined);
      return await this.load(gpu, reader);
    }
    const loading = this.#load(gpu, reader);
    this.#loading = loading;
    try {
      const weights = await loading;
      if (this.#loading !== loading) {
        weights.dispose();
        throw disposedError(this.name);
      }
      return (this.#weights = weights);
    } finally {
      if (this.#loading === loading) this.#loading = undefined;
    }
  }

  /** For {@link Residency}. */
  free(): void {
    this.#weights?.dispose();
    this.#weights = undefined;
    this.#loading = undefined;
  }
}
