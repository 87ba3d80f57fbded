import type { GpuOptions } from "../check/gpu_arguments.ts";
import { EngineError } from "../errors.ts";
import type { HostArray } from "../dtypes.ts";
import { getGpuHost, type Runtime } from "./host.ts";
import { Ledger } from "./ledger.ts";
import { hasSubgroupMatrix, type SubgroupMatrixNeeds } from "./subgroup_matrix.ts";

/** How a device and its kernels were chosen. */
export type DeviceChoice = { [K in "kernels" | "versions" | "device"]?: GpuOptions[K] | undefined };

/** What a kernel needs from a device. */
export interface KernelNeeds {
  readonly features?: readonly GPUFeatureName[];
  /** Lanes that every subgroup has to have (default: 1). */
  readonly subgroupLanes?: number;
  /** Of a shader that multiplies subgroup matrices: which ones. */
  readonly subgroupMatrix?: SubgroupMatrixNeeds;
}

/** What a run did, for tests and benches. */
export interface GpuCounters {
  dispatches: number;
  submits: number;
  readbacks: number;
  hostWrites: number;
}

/** A device with its queue, its limits and the ledger of the bytes alive on it; every buffer is made here. */
export class Device {
  readonly device: GPUDevice;
  readonly runtime: Runtime;
  /** The requested `device`, to request the same one again. */
  readonly request: string | undefined;
  /** Name of the adapter for people. */
  readonly adapterName: string;
  /** A software adapter (SwiftShader, lavapipe): kernels without barriers are chosen for it. */
  readonly isSoftware: boolean;
  /** Forced versions by op: see kernels/choose.ts. */
  readonly versions: ReadonlyMap<string, string>;
  readonly limits: GPUSupportedLimits;
  readonly features: ReadonlySet<string>;
  readonly ledger = new Ledger();
  readonly counters: GpuCounters = { dispatches: 0, submits: 0, readbacks: 0, hostWrites: 0 };
  /** Bytes of one params struct as bound, and between two of them in an arena. */
  readonly paramsBytes = 128;
  readonly paramsStride: number;
  /** Kept reachable on purpose: see `owner` of an opened adapter (host.ts). */
  readonly owner: unknown;
  /** Dawn in Node tells the matrices with the adapter's info alone: the list of `device.adapterInfo` is empty. */
  readonly #adapterInfo: GPUAdapterInfo;
  /** Why nothing works on the device any more: it was lost or disposed. */
  #end: EngineError | undefined;
  /** An error that belongs to no call; the next {@link check} throws it. */
  #uncaptured: EngineError | undefined;
  /**
   * Rejects the waits of this moment when the device ends. One shared promise to race against would keep a reaction of
   * every wait as long as the device lives: 315 bytes each, 40 KB an utterance.
   */
  readonly #waiting = new Set<(end: EngineError) => void>();

  /** @param owner as `owner` of an opened adapter (host.ts). */
  protected constructor(
    device: GPUDevice,
    adapter: GPUAdapter,
    runtime: Runtime,
    { owner, kernels, versions, device: request }: { owner: unknown } & DeviceChoice,
  ) {
    this.device = device;
    this.runtime = runtime;
    this.request = request;
    this.owner = owner;
    const { info } = adapter;
    this.#adapterInfo = info;
    this.adapterName = info.description || info.device || info.vendor || "unnamed adapter";
    const isSoftware = info.isFallbackAdapter || /llvmpipe|lavapipe|swiftshader/i.test(this.adapterName);
    this.isSoftware = kernels === undefined ? isSoftware : kernels === "software";
    this.versions = new Map(Object.entries(versions ?? {}));
    this.limits = device.limits;
    this.features = device.features;
    this.paramsStride = Math.max(this.paramsBytes, device.limits.minUniformBufferOffsetAlignment);
    void device.lost.then(({ message, reason }) => {
      const fix = "load the model again; if it repeats, use a smaller model or dtype f16";
      const lost = `the GPU device was lost: ${message || reason}`;
      this.#finish(new EngineError("device-lost", lost, { where: this.adapterName, fix }));
    });
    device.addEventListener("uncapturederror", this.#onUncaptured);
  }

  /** Such as out of memory, which arrives late. An invalid submit reports its own error. */
  readonly #onUncaptured = ({ error }: GPUUncapturedErrorEvent): void => {
    const outOfMemory = typeof GPUOutOfMemoryError !== "undefined" && error instanceof GPUOutOfMemoryError;
    this.#uncaptured ??= this.#errorOf(error, outOfMemory ? "limit" : "internal");
  };

  #errorOf(error: GPUError, code: "limit" | "internal"): EngineError {
    return new EngineError(code, `WebGPU: ${error.message.split("\n")[0]}`, {
      where: this.adapterName,
      ...(code === "limit" ? { fix: "use a smaller model or dtype f16" } : {}),
    });
  }

  #finish(end: EngineError): void {
    this.#end ??= end;
    for (const tell of this.#waiting) tell(this.#end);
    this.#waiting.clear();
  }

  /** @throws EngineError `device-lost`, or `usage` if it was disposed; once, an error that belongs to no call. */
  check(): void {
    const error = this.#end ?? this.#uncaptured;
    this.#uncaptured = undefined;
    if (error !== undefined) throw error;
  }

  /** Whether the device has the features, the lanes and the matrices that a kernel needs. */
  supports({ features = [], subgroupLanes = 1, subgroupMatrix }: KernelNeeds): boolean {
    if (!features.every((feature) => this.features.has(feature))) return false;
    if (subgroupMatrix !== undefined && !hasSubgroupMatrix(this.#adapterInfo, subgroupMatrix)) return false;
    // Deno has no subgroups and leaves subgroupMinSize undefined.
    return ((this.device.adapterInfo as GPUAdapterInfo | undefined)?.subgroupMinSize ?? 1) >= subgroupLanes;
  }

  /**
   * Runs `work` and gives its result. A validation error belongs to the calls in `work`: reported as the device's, it
   * would end everything else that runs there. @throws EngineError `internal` for an invalid call; as {@link check}.
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
      await (this.isSoftware ? (getGpuHost().wait?.(settled) ?? settled) : settled);
    } catch (error) {
      throw await this.causeOf(error);
    } finally {
      this.#waiting.delete(tell);
    }
    this.check();
  }

  /**
   * Why something failed on the device: its loss, if it was lost. Each runtime rejects pending work in its own words, and
   * may do so before it reports the loss.
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
        fix: "use dtype f16 or a smaller model",
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

  /** Releases freed buffers: Dawn does so only at a submit. */
  flush(): void {
    if (this.#end === undefined) this.device.queue.submit([]);
  }

  /** Frees the device. Everything made from it becomes unusable; pending waits reject with `usage`. */
  dispose(): void {
    this.flush();
    this.#finish(new EngineError("usage", "the GPU device was disposed", { where: this.adapterName }));
    // Dawn keeps a device that has a listener, with two threads and 2 MB of memory.
    this.device.removeEventListener("uncapturederror", this.#onUncaptured);
    this.device.destroy();
  }
}
