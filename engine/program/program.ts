import { EngineError } from "../errors.ts";
import type { Device } from "../device/device.ts";
import type { MatrixFormat } from "../dtypes.ts";
import type { AnyKernel, Binding, Bindings, Constants, Kernel, ParamsOf, ParamTypes, TensorsOf } from "../kernel.ts";
import type { CompiledKernel, PipelineCache } from "../shaders/pipelines.ts";
import { getGpuHost } from "../device/host.ts";
import type { Tensor } from "../tensor.ts";

interface Dispatch {
  kind: "dispatch";
  kernel: AnyKernel;
  tensors: readonly Tensor[];
  compiled: Promise<CompiledKernel>;
  workgroups: readonly [number, number, number];
  /** Byte offset of the params in the program's uniform arena. */
  offset: number;
}

interface Copy {
  kind: "copy";
  source: Tensor;
  sourceOffset: number;
  destination: Tensor;
  destinationOffset: number;
  size: number;
}

/** What a step became once its pipeline and bind group exist. */
export interface BoundDispatch {
  kind: "dispatch";
  pipeline: GPUComputePipeline;
  bindGroup: GPUBindGroup;
  workgroups: readonly [number, number, number];
}

/** What programs are recorded for. */
export type ProgramDevice = Device & {
  readonly pipelines: PipelineCache;
  /** Bound where an optional binding is left out. */
  readonly placeholder: Tensor;
  /** Runs programs in one submit. */
  submit(programs: readonly Program[]): Promise<void>;
};

/**
 * A recorded list of dispatches and copies. Recording creates nothing on the GPU; {@link ready} compiles, writes the
 * params arena once and makes the bind groups, so that a replay costs three cheap calls a dispatch.
 */
export class Program {
  readonly gpu: ProgramDevice;
  readonly label: string;
  readonly #steps: (Dispatch | Copy)[] = [];
  readonly #params: ArrayBuffer[] = [];
  readonly #tensors = new Set<Tensor>();
  #bound: Promise<readonly (BoundDispatch | Copy)[]> | undefined;
  #arena: GPUBuffer | undefined;
  #disposed = false;

  constructor(gpu: ProgramDevice, label: string) {
    this.gpu = gpu;
    this.label = label;
  }

  /** Dispatches recorded so far. */
  get dispatches(): number {
    return this.#steps.filter((step) => step.kind === "dispatch").length;
  }

  /** Names of the kernels in order of dispatch, for tests and benches. */
  get kernelNames(): string[] {
    return this.#steps.filter((step) => step.kind === "dispatch").map((step) => step.kernel.name);
  }

  /**
   * Records one dispatch.
   * @throws EngineError `limit` if the kernel needs more workgroups than the device allows.
   */
  dispatch<B extends Bindings, P extends ParamTypes, C extends Constants>(
    kernel: Kernel<B, P, C>,
    tensors: TensorsOf<B>,
    params: ParamsOf<P>,
    constants: Partial<C> = {},
  ): void {
    const allConstants = { ...kernel.constants, ...constants } as C;
    const [x, y = 1, z = 1] = kernel.workgroups(params, allConstants);
    if (x === 0 || y === 0 || z === 0) return;
    const most = this.gpu.limits.maxComputeWorkgroupsPerDimension;
    if (Math.max(x, y, z) > most)
      throw new EngineError("limit", "too many workgroups", {
        where: `${this.label}: ${kernel.name}`,
        expected: `at most ${most} a dimension`,
        actual: `[${x}, ${y}, ${z}]`,
      });
    const given = tensors as Readonly<Record<string, Tensor | undefined>>;
    const bound: Tensor[] = [];
    let format: MatrixFormat | undefined;
    for (const [name, binding] of Object.entries<Binding>(kernel.bindings)) {
      const tensor = given[name] ?? this.gpu.placeholder;
      if ((binding.dtype === "weight" || binding.dtype === "matrix") && given[name] !== undefined) {
        if (format !== undefined && format !== tensor.dtype)
          throw new EngineError("internal", "weights of one call differ in format", {
            where: `${kernel.name}.${name}: ${tensor.label}`,
            expected: format,
            actual: tensor.dtype,
          });
        format = tensor.dtype as MatrixFormat;
      }
      tensor.requireAlive(`${kernel.name}.${name}: `);
      bound.push(tensor);
      this.#tensors.add(tensor);
    }
    this.#steps.push({
      kind: "dispatch",
      kernel,
      tensors: bound,
      compiled: this.gpu.pipelines.get(kernel, format ?? "f32", allConstants),
      workgroups: [x, y, z],
      offset: this.#params.length * this.gpu.paramsStride,
    });
    this.#params.push(packParams(kernel.params, params));
  }

  /** Records a copy of `count` 4-byte words between two different tensors. */
  copy(source: Tensor, sourceFirst: number, destination: Tensor, destinationFirst: number, count: number): void {
    this.#tensors.add(source).add(destination);
    this.#steps.push({
      kind: "copy",
      source,
      sourceOffset: sourceFirst * 4,
      destination,
      destinationOffset: destinationFirst * 4,
      size: count * 4,
    });
  }

  /** Compiles what is not compiled yet and makes the program replayable; further recording is not possible. */
  async ready(): Promise<this> {
    this.#bound ??= this.#bind();
    await this.#bound;
    return this;
  }

  /** Replays the program once in a submit of its own. */
  async run(): Promise<void> {
    await this.gpu.submit([this]);
  }

  /** The steps as the encoder needs them. */
  steps(): Promise<readonly (BoundDispatch | Copy)[]> {
    this.#bound ??= this.#bind();
    return this.#bound;
  }

  /** @throws EngineError `internal` if a tensor that it reads or writes was disposed. */
  requireTensors(): void {
    for (const tensor of this.#tensors) tensor.requireAlive(`${this.label}: `);
  }

  dispose(): void {
    if (this.#arena !== undefined) this.gpu.releaseBuffer(this.#arena, `${this.label} params`);
    this.#arena = undefined;
    this.#disposed = true;
    this.#bound = Promise.reject(this.#disposedError());
    this.#bound.catch(() => undefined); // Nobody may be waiting for it.
  }

  #disposedError(): EngineError {
    return new EngineError("internal", "program was disposed", { where: this.label });
  }

  async #bind(): Promise<readonly (BoundDispatch | Copy)[]> {
    const { device, paramsStride } = this.gpu;
    const arenaBytes = new Uint8Array(Math.max(1, this.#params.length) * paramsStride);
    for (const [i, params] of this.#params.entries()) arenaBytes.set(new Uint8Array(params), i * paramsStride);
    const compiling = Promise.all(
      this.#steps.map(async (step) => (step.kind === "dispatch" ? step.compiled : undefined)),
    );
    // A busy wait would take a core from the compiler.
    const compiled = await (getGpuHost().wait?.(compiling) ?? compiling).catch(async (error: unknown) => {
      throw await this.gpu.causeOf(error);
    });
    // It was disposed while it compiled: an arena made now would never be released.
    if (this.#disposed) throw this.#disposedError();
    const arena = this.gpu.createBuffer(
      arenaBytes.length,
      GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      `${this.label} params`,
    );
    this.#arena = arena;
    this.gpu.writeBuffer(arena, 0, arenaBytes);
    return await this.gpu.validated(() =>
      this.#steps.map((step, i) => {
        if (step.kind === "copy") return step;
        const { pipeline, layout } = compiled[i]!;
        const entries: GPUBindGroupEntry[] = step.tensors.map((tensor, binding) => ({
          binding,
          resource: { buffer: tensor.buffer },
        }));
        // One bind group for each dispatch: a dynamic offset into the params costs every replay a tenth of its encoding.
        const params = { buffer: arena, offset: step.offset, size: this.gpu.paramsBytes };
        entries.push({ binding: entries.length, resource: params });
        const bindGroup = device.createBindGroup({ layout, entries, label: `${this.label}: ${step.kernel.name}` });
        return { kind: "dispatch", pipeline, bindGroup, workgroups: step.workgroups };
      }),
    );
  }
}

function packParams<P extends ParamTypes>(types: P, params: ParamsOf<P>): ArrayBuffer {
  const names = Object.keys(types);
  const buffer = new ArrayBuffer(names.length * 4);
  const view = new DataView(buffer);
  for (const [i, name] of names.entries()) {
    const value = params[name];
    if (types[name] === "f32") view.setFloat32(i * 4, value, true);
    else if (types[name] === "i32") view.setInt32(i * 4, value, true);
    else view.setUint32(i * 4, value, true);
  }
  return buffer;
}

/**
 * Encodes programs in order into one command buffer, in one pass unless they copy, and submits it.
 * @param timestampWrites of each pass.
 */
export async function submitPrograms(
  device: Device,
  programs: readonly Program[],
  timestampWrites?: GPUComputePassTimestampWrites,
): Promise<void> {
  const lists = await Promise.all(programs.map((program) => program.steps()));
  for (const program of new Set(programs)) program.requireTensors();
  await device.validated(() => {
    const encoder = device.device.createCommandEncoder();
    let pass: GPUComputePassEncoder | undefined;
    let dispatches = 0;
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
        // Each argument that is passed costs encoding time, a spread 4 % of it.
        const [x, y, z] = step.workgroups;
        if (y === 1 && z === 1) pass.dispatchWorkgroups(x);
        else pass.dispatchWorkgroups(x, y, z);
        dispatches++;
      }
    pass?.end();
    device.counters.dispatches += dispatches;
    device.device.queue.submit([encoder.finish()]);
    device.counters.submits++;
  });
}
