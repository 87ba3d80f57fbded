import { readGpuOptions, type GpuOptions } from "./check/gpu_arguments.ts";
import { Device, type DeviceChoice } from "./device/device.ts";
import { tensorBytes, type Dtype, type HostArray } from "./dtypes.ts";
import { EngineError } from "./errors.ts";
import { getGpuHost, type OpenedAdapter, type Runtime } from "./device/host.ts";
import { subgroupMatrix } from "./device/subgroup_matrix.ts";
import type { Bindings, Constants, Kernel, ParamsOf, ParamTypes, TensorsOf } from "./kernel.ts";
import { Program, submitPrograms } from "./program/program.ts";
import { PipelineCache } from "./shaders/pipelines.ts";
import { Tensor } from "./tensor.ts";

export type { GpuOptions } from "./check/gpu_arguments.ts";

// The engine asks for the adapter's largest value of these; all other limits stay at WebGPU's defaults.
const wantedLimits = ["maxStorageBufferBindingSize", "maxBufferSize"] as const;
const wantedFeatures: readonly GPUFeatureName[] = ["subgroups", "shader-f16", "timestamp-query", subgroupMatrix];

/** Opens the host's adapter and a device on it. @throws EngineError `no-adapter`. */
export async function openGpu(given: GpuOptions = {}): Promise<Gpu> {
  const options = readGpuOptions(given);
  const host = getGpuHost();
  const opened = await host.openAdapter(options.device === undefined ? {} : { device: options.device });
  if (opened.notice !== undefined) options.onNotice?.(opened.notice);
  return await Gpu.fromAdapter(opened, host.runtime, {
    kernels: options.kernels,
    versions: options.versions ?? host.versions?.(),
    device: options.device,
  });
}

/** The Gpus that nobody disposed; weakly, so that a page can collect one that it forgot. */
const opened = new Set<WeakRef<Gpu>>();

/**
 * Ends all work on GPUs in this thread and frees their devices; runs under way end with `usage`. A worker calls it before
 * `worker.terminate()`: Dawn ends the whole process if its thread ends while it works.
 */
export async function stop(): Promise<void> {
  const gpus = [...opened].flatMap((ref) => ref.deref() ?? []);
  for (const gpu of gpus) gpu.dispose();
  await Promise.all(gpus.map((gpu) => gpu.device.lost));
  // Pending waits reject in the turns after the loss.
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve));
}

/** The one object that a user of the engine holds: a device, its compiled kernels, and what makes tensors and programs. */
export class Gpu extends Device {
  /** As in a scope. A Gpu's own tensors are freed one by one by their users. */
  readonly gpu = this;
  readonly pipelines: PipelineCache;
  /** Bound where an optional binding is left out. */
  readonly placeholder: Tensor;
  readonly #self = new WeakRef(this);

  static async fromAdapter(opened: OpenedAdapter, runtime: Runtime, choice: DeviceChoice = {}): Promise<Gpu> {
    const { adapter } = opened;
    const requiredLimits = Object.fromEntries(wantedLimits.map((name) => [name, adapter.limits[name]]));
    const features = wantedFeatures.filter((feature) => adapter.features.has(feature));
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
    choice: { owner: unknown } & DeviceChoice,
  ) {
    super(device, adapter, runtime, choice);
    this.pipelines = new PipelineCache(this.device);
    this.placeholder = this.tensor("f32", [4], "placeholder");
    opened.add(this.#self);
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

  program(label: string): Program {
    return new Program(this, label);
  }

  /** An eager call: a program of one dispatch. */
  async runKernel<B extends Bindings, P extends ParamTypes, C extends Constants>(
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

  /** Runs programs in order in one submit. @param timestampWrites of each pass. */
  async submit(programs: readonly Program[], timestampWrites?: GPUComputePassTimestampWrites): Promise<void> {
    await submitPrograms(this, programs, timestampWrites);
  }

  /** Frees the device. Everything made from it becomes unusable; pending waits reject with `usage`. */
  override dispose(): void {
    opened.delete(this.#self);
    if (!this.placeholder.disposed) this.placeholder.dispose();
    super.dispose();
  }
}
