import type { Gpu } from "../../engine/gpu.ts";
import type { AnyKernel, Constants } from "../../engine/kernel.ts";
import type { CompiledKernel } from "../../engine/shaders/pipelines.ts";
import type { MatrixFormat } from "../../engine/dtypes.ts";

export { formatsOf } from "../../engine/shaders/shader_source.ts";

/** Compiles a kernel with the constants that it declares. */
export function compileKernel(gpu: Gpu, kernel: AnyKernel, format: MatrixFormat): Promise<CompiledKernel> {
  return gpu.pipelines.get(kernel, format, (kernel.constants ?? {}) as Constants);
}
