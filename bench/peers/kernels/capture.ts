import { getGpuHost } from "../../../engine/device/host.ts";
import type { TimedDevice } from "../../measure/stopwatch.ts";
import { offerNavigator } from "../engines/navigator.ts";

/** A dispatch that an engine made. */
interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroups: readonly (readonly [number, GPUBindGroup])[];
  readonly workgroups: readonly [number, number, number];
}

/** What an engine encoded while it was listened to. */
export interface Captured {
  readonly dispatches: readonly Dispatch[];
  /** Copies between its buffers on the GPU, which a pass cannot hold. */
  readonly copies: number;
}

/**
 * A device for another engine that listens to what the engine encodes, so that the same dispatches can be timed as ours are. Its
 * buffers outlive the engine's `destroy` until {@link release}, since replays still read them.
 */
export class CapturingDevice implements TimedDevice {
  readonly device: GPUDevice;
  readonly features: ReadonlySet<string>;
  #dispatches: Dispatch[] | undefined;
  #copies = 0;
  #released: (() => void)[] = [];
  readonly #groups = new WeakMap<GPUBindGroup, GPUBindGroupDescriptor>();
  /** What the host wrote into uniform buffers. */
  readonly #uniforms = new WeakMap<GPUBuffer, Uint8Array<ArrayBuffer>>();
  #error: Error | undefined;

  private constructor(device: GPUDevice) {
    this.device = device;
    this.features = device.features;
    device.addEventListener("uncapturederror", (event) => (this.#error ??= new Error(event.error.message)));
    this.#listen();
  }

  /**
   * Lets an engine start on an adapter: `navigator.gpu` gives it to whoever asks.
   * @param start starts the engine. @returns the device that it opened.
   */
  static async during(openAdapter: () => Promise<GPUAdapter>, start: () => Promise<void>): Promise<CapturingDevice> {
    let opened: CapturingDevice | undefined;
    const requestAdapter = async (): Promise<GPUAdapter> => {
      const adapter = await openAdapter();
      const open = adapter.requestDevice.bind(adapter);
      adapter.requestDevice = async (descriptor = {}) => {
        const wanted = new Set<GPUFeatureName>(descriptor.requiredFeatures);
        if (adapter.features.has("timestamp-query")) wanted.add("timestamp-query");
        const device = await open({ ...descriptor, requiredFeatures: [...wanted] });
        opened = new CapturingDevice(device);
        return device;
      };
      return adapter;
    };
    offerNavigator(requestAdapter);
    await start();
    if (opened === undefined) throw new Error("it opened no WebGPU device");
    return opened;
  }

  /** What the engine encodes while `work` runs. */
  async capture<T>(work: () => Promise<T>): Promise<[T, Captured]> {
    const dispatches: Dispatch[] = [];
    [this.#dispatches, this.#copies] = [dispatches, 0];
    try {
      const result = await work();
      return [result, { dispatches, copies: this.#copies }];
    } finally {
      this.#dispatches = undefined;
    }
  }

  async idle(): Promise<void> {
    const done = this.device.queue.onSubmittedWorkDone();
    // As we wait for ours: Dawn's looking for the end on every turn of the event loop would count as an engine's processor time.
    await (getGpuHost().wait?.(done) ?? done);
  }

  check(): void {
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) throw error;
  }

  /** Frees what the engine destroyed. */
  release(): void {
    for (const destroy of this.#released) destroy();
    this.#released = [];
  }

  /** Methods of the device's own objects are replaced, which the engine hands on as they are. */
  #listen(): void {
    const { device } = this;
    const { queue } = device;
    const write = queue.writeBuffer.bind(queue);
    // Dawn refuses views of memory that threads share, which onnxruntime's is.
    queue.writeBuffer = (
      buffer: GPUBuffer,
      offset: number,
      data: Uint8Array<ArrayBuffer>,
      first = 0,
      size?: number,
    ) => {
      const copy = data.slice(first, size === undefined ? undefined : first + size);
      if ((buffer.usage & GPUBufferUsage.UNIFORM) !== 0) {
        const known = this.#uniforms.get(buffer) ?? new Uint8Array(buffer.size);
        known.set(new Uint8Array(copy.buffer ?? copy), offset);
        this.#uniforms.set(buffer, known);
      }
      return write(buffer, offset, copy);
    };
    Object.defineProperty(device, "queue", { value: queue });
    const createBuffer = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      const buffer = createBuffer(descriptor);
      const destroy = buffer.destroy.bind(buffer);
      buffer.destroy = () => {
        this.#released.push(destroy);
        return undefined;
      };
      return buffer;
    };
    const createBindGroup = device.createBindGroup.bind(device);
    device.createBindGroup = (descriptor) => {
      const group = createBindGroup(descriptor);
      this.#groups.set(group, descriptor);
      return group;
    };
    const createEncoder = device.createCommandEncoder.bind(device);
    device.createCommandEncoder = (descriptor) => this.#listenToEncoder(createEncoder(descriptor));
  }

  #listenToEncoder(encoder: GPUCommandEncoder): GPUCommandEncoder {
    const begin = encoder.beginComputePass.bind(encoder);
    encoder.beginComputePass = (descriptor) => this.#listenToPass(begin(descriptor));
    const copy = encoder.copyBufferToBuffer.bind(encoder) as (...given: unknown[]) => undefined;
    encoder.copyBufferToBuffer = (...given: unknown[]) => {
      const between = given.filter((value): value is GPUBuffer => typeof value === "object");
      // To and from buffers that the host maps: operands and results on their way.
      if (between.every(({ usage }) => (usage & (GPUBufferUsage.MAP_READ | GPUBufferUsage.MAP_WRITE)) === 0))
        this.#copies++;
      return copy(...given);
    };
    return encoder;
  }

  /** The same bind groups with uniforms of their own: engines write the next dispatch's into the same buffer. */
  #frozen(groups: ReadonlyMap<number, GPUBindGroup>): [number, GPUBindGroup][] {
    if (this.#dispatches === undefined) return [];
    return [...groups].map(([index, group]) => {
      const descriptor = this.#groups.get(group);
      if (descriptor === undefined) return [index, group];
      const entries = [...descriptor.entries].map((entry) => {
        const { resource } = entry;
        if (!("buffer" in resource)) return entry;
        const values = this.#uniforms.get(resource.buffer);
        if (values === undefined) return entry;
        const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
        const buffer = this.device.createBuffer({ size: values.length, usage });
        this.device.queue.writeBuffer(buffer, 0, values);
        buffer.destroy(); // At the release.
        return { ...entry, resource: { ...resource, buffer } };
      });
      return [index, this.device.createBindGroup({ ...descriptor, entries })];
    });
  }

  #listenToPass(pass: GPUComputePassEncoder): GPUComputePassEncoder {
    const setPipeline = pass.setPipeline.bind(pass);
    const setBindGroup = pass.setBindGroup.bind(pass) as (...given: unknown[]) => undefined;
    const dispatch = pass.dispatchWorkgroups.bind(pass);
    let pipeline: GPUComputePipeline | undefined;
    const groups = new Map<number, GPUBindGroup>();
    pass.setPipeline = (given) => setPipeline((pipeline = given));
    pass.setBindGroup = ((index: number, group: GPUBindGroup, ...offsets: unknown[]) => {
      if (offsets.length > 0) this.#error ??= new Error("it binds by dynamic offsets, which are not replayed");
      groups.set(index, group);
      return setBindGroup(index, group, ...offsets);
    }) as typeof pass.setBindGroup;
    pass.dispatchWorkgroups = (x, y = 1, z = 1) => {
      this.#dispatches?.push({ pipeline: pipeline!, bindGroups: this.#frozen(groups), workgroups: [x, y, z] });
      return dispatch(x, y, z);
    };
    pass.dispatchWorkgroupsIndirect = () => {
      throw new Error("it dispatches indirectly, which is not replayed");
    };
    return pass;
  }
}

/** Encodes captured dispatches again. */
export function replay(pass: GPUComputePassEncoder, { dispatches }: Captured): void {
  for (const { pipeline, bindGroups, workgroups } of dispatches) {
    pass.setPipeline(pipeline);
    for (const [index, group] of bindGroups) pass.setBindGroup(index, group);
    const [x, y, z] = workgroups;
    pass.dispatchWorkgroups(x, y, z);
  }
}
