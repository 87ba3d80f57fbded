import type { Gpu } from "../../engine/gpu.ts";
import { defineKernel, read, readWrite, workgroupsOverXY } from "../../engine/kernel.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { Stopwatch, type Effort } from "../measure/stopwatch.ts";

export const fillKernel = defineKernel({
  name: "bench.fill",
  source: new URL("./fill.wgsl", import.meta.url),
  bindings: { y: readWrite("f32") },
  params: { size: "u32", seed: "u32" },
  workgroups: ({ size }) => workgroupsOverXY(Math.ceil(size / 64)),
});

export const bandwidthKernel = defineKernel({
  name: "bench.bandwidth",
  source: new URL("./bandwidth.wgsl", import.meta.url),
  bindings: { x: read("f32"), y: readWrite("f32") },
  params: { invocations: "u32", count: "u32", lane_step: "u32", step: "u32" },
  workgroups: ({ invocations }) => [Math.ceil(invocations / 64)],
});

export const computeKernel = defineKernel({
  name: "bench.compute",
  source: new URL("./compute.wgsl", import.meta.url),
  bindings: { y: readWrite("f32") },
  params: { invocations: "u32", steps: "u32", factor: "f32" },
  workgroups: ({ invocations }) => [Math.ceil(invocations / 64)],
});

/** What an adapter can do at most, as far as a kernel can tell. */
export interface Roofline {
  /** Bytes a second read from memory, 1e9. */
  readonly gigabytesPerSecond: number;
  /** Floating-point operations a second in f32, 1e9. */
  readonly gigaflops: number;
  /** Microseconds that a dispatch of next to no work takes within a batch. */
  readonly dispatchMicroseconds: number;
}

/** More than the caches of processors and GPUs hold. */
export const uncachedBytes = 256 * 2 ** 20;

/** Measures the roofline of an adapter with kernels of the same kind as those that are held against it. */
export async function measureRoofline(
  gpu: Gpu,
  effort: Effort,
  bytes: number = uncachedBytes,
  clock?: "cpu",
): Promise<Roofline> {
  const stopwatch = new Stopwatch(gpu, clock);
  try {
    const gigabytesPerSecond = await measureBandwidth(gpu, stopwatch, effort, bytes);
    const y = gpu.tensor("f32", [1 << 16], "roofline");
    const fastest = async (invocations: number, steps: number): Promise<number> => {
      const timing = await stopwatch.measure(
        gpu,
        "roofline",
        1,
        (program) => program.dispatch(computeKernel, { y }, { invocations, steps, factor: 0.5 }),
        effort,
      );
      return timing.milliseconds.min;
    };
    try {
      const [invocations, steps] = [1 << (gpu.isSoftware ? 12 : 16), gpu.isSoftware ? 512 : 4096];
      const gigaflops = (invocations * steps * 64) / (await fastest(invocations, steps)) / 1e6;
      return { gigabytesPerSecond, gigaflops, dispatchMicroseconds: (await fastest(1, 1)) * 1000 };
    } finally {
      y.dispose();
    }
  } finally {
    stopwatch.dispose();
  }
}

/** The better of two walks through memory: which one it is depends on how the adapter gathers the loads of its lanes. */
async function measureBandwidth(gpu: Gpu, stopwatch: Stopwatch, effort: Effort, bytes: number): Promise<number> {
  const blockBytes = Math.min(bytes, 2 ** Math.floor(Math.log2(gpu.limits.maxStorageBufferBindingSize)));
  const blocks = Array.from({ length: Math.ceil(bytes / blockBytes) }, (_, i) => hashedTensor(gpu, blockBytes / 4, i));
  const tensors = await Promise.all(blocks);
  const vectors = blockBytes / 16;
  const rates: number[] = [];
  try {
    for (const invocations of gpu.isSoftware ? [1 << 9, 1 << 12] : [1 << 14, 1 << 16, 1 << 18]) {
      if (invocations * 4 > vectors) continue;
      const count = vectors / invocations;
      const y = gpu.tensor("f32", [invocations], "roofline sums");
      for (const [lane_step, step] of [
        [1, invocations],
        [count, 1],
      ]) {
        const timing = await stopwatch.measure(
          gpu,
          "roofline",
          tensors.length,
          (program, copy) =>
            program.dispatch(bandwidthKernel, { x: tensors[copy], y }, { invocations, count, lane_step, step }),
          effort,
        );
        rates.push(blockBytes / timing.milliseconds.min / 1e6);
      }
      y.dispose();
    }
  } finally {
    for (const tensor of tensors) tensor.dispose();
  }
  return Math.max(...rates);
}

/** A tensor of hashed values, made on the GPU. */
export async function hashedTensor(gpu: Gpu, size: number, seed: number): Promise<Tensor<"f32">> {
  const y = gpu.tensor("f32", [size], "hashed");
  await gpu.runKernel(fillKernel, { y }, { size, seed: seed * 0x10001 });
  return y;
}
