import { EngineError } from "../errors.ts";
import type { AnyKernel, Binding, Constants } from "../kernel.ts";
import { Memo } from "../memo.ts";
import { loadShader, usesWeights, type ShaderSource } from "./shader_source.ts";
import type { MatrixFormat } from "../dtypes.ts";

export interface CompiledKernel {
  pipeline: GPUComputePipeline;
  layout: GPUBindGroupLayout;
}

/**
 * Compiles kernels, each (kernel, weight format, constants) once; calls made while a compile is under way share it.
 * Compiles started together run in parallel where the runtime allows it (Dawn; Deno compiles in the call).
 */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #cache = new Memo<string, CompiledKernel>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Compiled kernels and those being compiled, by name, weight format and constants. */
  get keys(): string[] {
    return this.#cache.keys;
  }

  get(kernel: AnyKernel, format: MatrixFormat, constants: Constants): Promise<CompiledKernel> {
    const key = `${kernel.name}|${usesWeights(kernel) ? format : "-"}|${JSON.stringify(constants)}`;
    return this.#cache.get(key, () => this.#compile(kernel, format, constants));
  }

  async #compile(kernel: AnyKernel, format: MatrixFormat, constants: Constants): Promise<CompiledKernel> {
    for (const feature of kernel.features ?? [])
      if (!this.#device.features.has(feature))
        throw new EngineError("limit", `needs the feature ${feature}`, { where: kernel.name });
    const source = await loadShader(kernel, format);
    // A wrong shader is reported below; without this scope it would also count as a fault of the device.
    this.#device.pushErrorScope("validation");
    const module = this.#device.createShaderModule({ code: source.text, label: kernel.name });
    const reported = this.#device.popErrorScope();
    const layout = this.#device.createBindGroupLayout({ label: kernel.name, entries: layoutEntries(kernel) });
    try {
      const pipeline = await this.#device.createComputePipelineAsync({
        label: kernel.name,
        layout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: "main", constants },
      });
      return { pipeline, layout };
    } catch (error) {
      throw await compileError(kernel, source, module, error);
    } finally {
      await reported.catch(() => undefined); // Rejects if the device is lost, which the pipeline reports too.
    }
  }
}

function layoutEntries(kernel: AnyKernel): GPUBindGroupLayoutEntry[] {
  const visibility = GPUShaderStage.COMPUTE;
  const entries: GPUBindGroupLayoutEntry[] = Object.values<Binding>(kernel.bindings).map((declared, binding) => ({
    binding,
    visibility,
    buffer: { type: declared.access === "read" ? "read-only-storage" : "storage" },
  }));
  entries.push({ binding: entries.length, visibility, buffer: { type: "uniform" } });
  return entries;
}

async function compileError(
  kernel: AnyKernel,
  source: ShaderSource,
  module: GPUShaderModule,
  cause: unknown,
): Promise<EngineError> {
  const { messages } = await module.getCompilationInfo();
  // Line 0 is no line: Deno reports a lost device this way.
  const first = messages.find((message) => message.type === "error" && message.lineNum > 0);
  if (first === undefined)
    return new EngineError("shader", cause instanceof Error ? cause.message : String(cause), {
      where: kernel.name,
      cause,
    });
  const place = source.locate(first.lineNum);
  return new EngineError("shader", `${first.message} in \`${place.source.trim()}\``, {
    where: `${kernel.name} (${place.file}:${place.line}:${first.linePos})`,
    cause,
  });
}
