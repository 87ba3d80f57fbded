import { EngineError } from "./errors.ts";
import { readGpuOptions } from "./gpu_arguments.ts";
import type { AnyKernel, Bindings, Constants, Kernel, ParamsOf, ParamTypes, TensorsOf } from "./kernel.ts";
import { Ledger } from "./ledger.ts";
import { PipelineCache } from "./pipelines.ts";
import { getPlatform, type AdapterRequest, type ForcedVersions, type OpenedAdapter, type Runtime } from "./platform.ts";
import { Program } from "./program.ts";
import type { TensorMaker } from "./scope.ts";
import { Tensor, tensorBytes, type Dtype, type HostArray } from "./tensor.ts";

export interface GpuOptions extends AdapterRequest {
  /** Called with one line for the user, such as that a software adapter stands in for a missing driver. */
  onNotice?: (line: string) => void;
  /** For which kind of adapter to choose the versions of kernels, for tests and benches. Default: for this one. */
  kernels?: "software" | "gpu" | undefined;
  /**
   * Forces versions of ops by name, such as `{ gemv: "gemv_split" }`: kernels/choose.ts lists the names. Default: those of
   * the platform (`BARK_KERNELS` in Node).
   */
  versions?: ForcedVersions | undefined;
}

/** How a device was chosen, and its kernels. */
type GpuChoice = { [K in "kernels" | "versions" | "device"]?: GpuOptions[K] | undefined };

/** What a run did, for tests and benches. */
export interface GpuCounters {
  dispatches: number;
  submits: number;
  readbacks: number;
  hostWrites: number;
}

// Largest of what the engine uses; everything else stays at WebGPU's defaults so that any adapter will do.
const wantedLimits = ["maxStorageBufferBindingSize", "maxBufferSize"] as const;

/** Opens the platform's adapter and a device on it. @throws EngineError `no-adapter`. */
export async function openGpu(given: GpuOptions = {}): Promise<Gpu> {
  const options = readGpuOptions(given);
  const platform = getPlatform();
  const opened = await platform.openAdapter(options.device === undefined ? {} : { device: options.device });
  if (opened.notice !== undefined) options.onNotice?.(opened.notice);
  return await Gpu.fromAdapter(opened, platform.runtime, {
    kernels: options.kernels,
    versions: options.versions ?? platform.versions?.(),
    device: options.device,
  });
}

/** Those that nobody disposed. Weakly, so that a page can collect what it forgot. */
const opened = new Set<WeakRef<Gpu>>();

/**
 * Ends all work on GPUs in this thread and frees their devices; runs under way end with `usage`. A worker calls it before
 * `worker.terminate()`: Dawn ends the whole process if its thread goes while it works.
 */
export async function stop(): Promise<void> {
  const gpus = [...opened].flatMap((ref) => ref.deref() ?? []);
  for (const gpu of gpus) gpu.dispose();
  await Promise.all(gpus.map((gpu) => gpu.device.lost));
  // What waited for the devices is told in the turns after the loss.
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve));
}

/** The one object that holds a device, its queue and limits, the pipeline cache and the ledger of bytes alive. */
export class Gpu implements TensorMaker {
  /** As {@link TensorMaker}: tensors that it makes are freed by whoever asked for them. */
  readonly gpu = this;
  readonly device: GPUDevice;
  readonly runtime: Runtime;
  /** The `device` that was asked for, to ask for the same again. */
  readonly request: string | undefined;
  /** Name of the adapter for people. */
  readonly adapterName: string;
  /** A software adapter (SwiftShader, lavapipe): kernels without barriers are chosen for it. */
  readonly isSoftware: boolean;
  /** Forced versions by op: see kernels/choose.ts. */
  readonly versions: ReadonlyMap<string, string>;
  readonly limits: GPUSupportedLimits;
  readonly features: ReadonlySet<string>;
  readonly pipelines: PipelineCache;
  readonly ledger = new Ledger();
  readonly counters: GpuCounters = { dispatches: 0, submits: 0, readbacks: 0, hostWrites: 0 };
  /** Bytes of one params struct as bound, and between two of them in an arena. */
  readonly paramsBytes = 128;
  readonly paramsStride: number;
  /** Bound where an optional binding is left out. */
  readonly placeholder: Tensor;
  /** Kept reachable on purpose: see {@link OpenedAdapter.owner}. */
  readonly owner: unknown;
  /** Why nothing works on the device any more: it was lost or disposed. */
  #end: EngineError | undefined;
  /** An error that no call could be blamed for, until someone is told. */
  #uncaptured: EngineError | undefined;
  /**
   * Called when the device ends, by everyone who waits now. A promise to race against would keep a reaction of every wait
   * as long as the device lives: 315 bytes each, 40 KB an utterance.
   */
  readonly #waiting = new Set<(end: EngineError) => void>();
  readonly #self = new WeakRef(this);

  static async fromAdapter(opened: OpenedAdapter, runtime: Runtime, choice: GpuChoice = {}): Promise<Gpu> {
    const { adapter } = opened;
    const requiredLimits = Object.fromEntries(wantedLimits.map((name) => [name, adapter.limits[name]]));
    const features = (["subgroups", "timestamp-query"] as GPUFeatureName[]).filter((f) => adapter.features.has(f));
    const device = await adapter.requestDevice({ requiredLimits, requiredFeatures: features, label: "bark-webgpu" });
    try {
      return new Gpu(device, adapter, runtime, { owner: opened.owner, ...choice });
    } catch (error) {
      device.destroy();
      throw error;
    }
  }

  private constructor(
    device: GPUDevice,
    adapter: GPUAdapter,
    runtime: Runtime,
    { owner, kernels, versions, device: request }: { owner: unknown } & GpuChoice,
  ) {
    this.device = device;
    this.runtime = runtime;
    this.request = request;
    this.owner = owner;
    const { info } = adapter;
    this.adapterName = info.description || info.device || info.vendor || "unnamed adapter";
    const isSoftware = info.isFallbackAdapter || /llvmpipe|lavapipe|swiftshader/i.test(this.adapterName);
    this.isSoftware = kernels === undefined ? isSoftware : kernels === "software";
    this.versions = new Map(Object.entries(versions ?? {}));
    this.limits = device.limits;
    this.features = device.features;
    this.pipelines = new PipelineCache(device);
    this.paramsStride = Math.max(this.paramsBytes, device.limits.minUniformBufferOffsetAlignment);
    this.placeholder = this.tensor("f32", [4], "placeholder");
    void device.lost.then(({ message, reason }) => {
      const fix = "load the model again; if it repeats, use a smaller model or --dtype f16";
      const lost = `the GPU device was lost: ${message || reason}`;
      this.#finish(new EngineError("device-lost", lost, { where: this.adapterName, fix }));
    });
    device.addEventListener("uncapturederror", this.#onUncaptured);
    opened.add(this.#self);
  }

  /** Such as out of memory, which is told late. What is wrong with a submit is told by the submit. */
  readonly #onUncaptured = ({ error }: GPUUncapturedErrorEvent): void => {
    const outOfMemory = typeof GPUOutOfMemoryError !== "undefined" && error instanceof GPUOutOfMemoryError;
    this.#uncaptured ??= this.#errorOf(error, outOfMemory ? "limit" : "internal");
  };

  #errorOf(error: GPUError, code: "limit" | "internal"): EngineError {
    return new EngineError(code, `WebGPU: ${error.message.split("\n")[0]}`, {
      where: this.adapterName,
      ...(code === "limit" ? { fix: "use a smaller model or --dtype f16" } : {}),
    });
  }

  #finish(end: EngineError): void {
    this.#end ??= end;
    for (const tell of this.#waiting) tell(this.#end);
    this.#waiting.clear();
  }

  /** @throws EngineError `device-lost`, or `usage` if it was disposed; once, an error that no call could be blamed for. */
  check(): void {
    const error = this.#end ?? this.#uncaptured;
    this.#uncaptured = undefined;
    if (error !== undefined) throw error;
  }

  /** A new tensor; its contents are zero. */
  tensor<D extends Dtype>(dtype: D, shape: readonly number[], label: string): Tensor<D> {
    const size = shape.reduce((product, extent) => product * extent, 1);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    return new Tensor(this, this.createBuffer(tensorBytes(dtype, size), usage, label), dtype, shape, label);
  }

  /** A new tensor with values from host memory. f16 takes packed words. */
  tensorFrom<D extends Dtype>(dtype: D, shape: readonly number[], data: HostArray, label: string): Tensor<D> {
    const size = shape.reduce((product, extent) => product * extent, 1);
    const bytes = size === 0 ? 0 : tensorBytes(dtype, size);
    if (data.byteLength !== bytes)
      throw new EngineError("shape", "host data does not fit the tensor", {
        where: label,
        expected: `${bytes} bytes for ${dtype}[${shape.join(", ")}]`,
        actual: `${data.byteLength} bytes`,
      });
    const tensor = this.tensor(dtype, shape, label);
    if (data.length > 0) tensor.write(data);
    return tensor;
  }

  /** Whether the device has the features and the lanes that a kernel needs. */
  supports({ features = [], subgroupLanes = 1 }: AnyKernel): boolean {
    // Deno tells of no subgroups, and has none.
    const lanes = (this.device.adapterInfo as GPUAdapterInfo | undefined)?.subgroupMinSize ?? 1;
    return features.every((feature) => this.features.has(feature)) && lanes >= subgroupLanes;
  }

  program(label: string): Program {
    return new Program(this, label);
  }

  /** An eager call: a program of one dispatch. */
  async run<B extends Bindings, P extends ParamTypes, C extends Constants>(
    kernel: Kernel<B, P, C>,
    tensors: TensorsOf<B>,
    params: ParamsOf<P>,
    constants: Partial<C> = {},
  ): Promise<void> {
    const program = this.program(kernel.name);
    program.dispatch(kernel, tensors, params, constants);
    try {
      await program.run();
    } finally {
      program.dispose();
    }
  }

  /**
   * Encodes programs in order into one command buffer, in one pass unless they copy, and submits it.
   * @param timestampWrites of each pass.
   */
  async submit(programs: readonly Program[], timestampWrites?: GPUComputePassTimestampWrites): Promise<void> {
    const lists = await Promise.all(programs.map((program) => program.steps()));
    for (const program of new Set(programs)) program.requireTensors();
    await this.validated(() => {
      const encoder = this.device.createCommandEncoder();
      let pass: GPUComputePassEncoder | undefined;
      for (const steps of lists)
        for (const step of steps) {
          if (step.kind === "copy") {
            pass?.end();
            pass = undefined;
            const { source, sourceOffset, destination, destinationOffset, size } = step;
            encoder.copyBufferToBuffer(source.buffer, sourceOffset, destination.buffer, destinationOffset, size);
            continue;
          }
          pass ??= encoder.beginComputePass(timestampWrites && { timestampWrites });
          pass.setPipeline(step.pipeline);
          pass.setBindGroup(0, step.bindGroup);
          // Not by a spread, which takes 4 % of a step's encoding.
          const [x, y, z] = step.workgroups;
          pass.dispatchWorkgroups(x, y, z);
          this.counters.dispatches++;
        }
      pass?.end();
      this.device.queue.submit([encoder.finish()]);
      this.counters.submits++;
    });
  }

  /**
   * What `work` answers. A validation error belongs to the calls that made it: told as one of the device it would end
   * whatever else runs there. @throws EngineError `internal` if what `work` asked for is not valid; as {@link check}.
   */
  async validated<T>(work: () => T): Promise<T> {
    this.check();
    this.device.pushErrorScope("validation");
    let report: Promise<GPUError | null>;
    let result: T;
    try {
      result = work();
    } finally {
      report = this.device.popErrorScope();
    }
    const error = await report.catch(() => null); // Rejects if the device is lost, which check() tells.
    if (error !== null) throw this.#errorOf(error, "internal");
    return result;
  }

  /** Waits until all submitted work is done. */
  async idle(): Promise<void> {
    await this.#pending(this.device.queue.onSubmittedWorkDone());
  }

  /** Waits for work on the device. @throws EngineError as {@link check}. */
  async #pending(work: Promise<unknown>): Promise<void> {
    let tell: (end: EngineError) => void = () => undefined;
    const settled = new Promise<void>((resolve, reject) => {
      tell = reject;
      work.then(() => resolve(), reject);
    });
    this.#waiting.add(tell);
    try {
      // A GPU does not need the processor, and its host should be back at once: resting took a decode 3 ms a readback.
      await (this.isSoftware ? (getPlatform().wait?.(settled) ?? settled) : settled);
    } catch (error) {
      throw await this.causeOf(error);
    } finally {
      this.#waiting.delete(tell);
    }
    this.check();
  }

  /**
   * Why something failed on the device: that it was lost, if it was. Each runtime rejects what is pending then in its own
   * words, and may do so before it tells of the loss.
   */
  async causeOf(error: unknown): Promise<unknown> {
    if (this.#end === undefined)
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(done);
          resolve();
        };
        const timer = setTimeout(done, 200);
        this.#waiting.add(done);
      });
    const told = this.#end ?? this.#uncaptured;
    this.#uncaptured = undefined;
    return told ?? error;
  }

  /** Copies bytes of a buffer to host memory after all submitted work. Offset and size are multiples of 4. */
  async readBuffer(buffer: GPUBuffer, offset: number, size: number, label: string): Promise<ArrayBuffer> {
    if (size === 0) return new ArrayBuffer(0);
    this.check();
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const staging = this.createBuffer(size, usage, `${label} readback`);
    try {
      await this.validated(() => {
        const encoder = this.device.createCommandEncoder();
        encoder.copyBufferToBuffer(buffer, offset, staging, 0, size);
        this.device.queue.submit([encoder.finish()]);
        this.counters.readbacks++;
      });
      await this.#pending(staging.mapAsync(GPUMapMode.READ));
      return staging.getMappedRange().slice(0);
    } finally {
      this.releaseBuffer(staging, `${label} readback`);
    }
  }

  writeBuffer(buffer: GPUBuffer, offset: number, data: HostArray | Uint8Array<ArrayBuffer>): void {
    this.device.queue.writeBuffer(buffer, offset, data);
    this.counters.hostWrites++;
  }

  /** @throws EngineError `limit` if the device cannot hold or bind a buffer of this size. */
  createBuffer(size: number, usage: number, label: string): GPUBuffer {
    const most =
      (usage & GPUBufferUsage.STORAGE) === 0
        ? this.limits.maxBufferSize
        : Math.min(this.limits.maxBufferSize, this.limits.maxStorageBufferBindingSize);
    if (size > most)
      throw new EngineError("limit", "tensor is larger than this adapter can bind", {
        where: `${label} on ${this.adapterName}`,
        expected: `at most ${most} bytes`,
        actual: `${size} bytes`,
        fix: "use --dtype f16 or a smaller model",
      });
    this.check();
    const buffer = this.device.createBuffer({ size, usage, label });
    this.ledger.allocate(label, size);
    return buffer;
  }

  releaseBuffer(buffer: GPUBuffer, label: string): void {
    this.ledger.release(label, buffer.size);
    buffer.destroy();
  }

  /** Lets go of buffers that were freed: Dawn does it at a submit. */
  flush(): void {
    if (this.#end === undefined) this.device.queue.submit([]);
  }

  /** Frees the device. Everything made from it becomes unusable; who waits for it is told `usage`. */
  dispose(): void {
    opened.delete(this.#self);
    if (!this.placeholder.disposed) this.placeholder.dispose();
    this.flush();
    this.#finish(new EngineError("usage", "the GPU device was disposed", { where: this.adapterName }));
    // Dawn keeps a device that has a listener, with two threads and 2 MB of memory.
    this.device.removeEventListener("uncapturederror", this.#onUncaptured);
    this.device.destroy();
  }
}
