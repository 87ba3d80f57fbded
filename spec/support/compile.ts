import type { Gpu } from "../../engine/gpu.ts";
import type { AnyKernel, Constants } from "../../engine/kernel.ts";
import type { CompiledKernel } from "../../engine/pipelines.ts";
import { usesWeights, type WeightFormat } from "../../engine/shader_source.ts";

/** The weight formats that a kernel has a shader for; one without weights has a single shader. */
export function formatsOf(kernel: AnyKernel): readonly WeightFormat[] {
  return usesWeights(kernel) ? ["f32", "f16"] : ["f32"];
}

/** Compiles a kernel with the constants that it declares. */
export function compileKernel(gpu: Gpu, kernel: AnyKernel, format: WeightFormat): Promise<CompiledKernel> {
  return gpu.pipelines.get(kernel, format, (kernel.constants ?? {}) as Constants);
}
