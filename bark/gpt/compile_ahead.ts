import type { Gpu } from "../../engine/gpu.ts";
import type { AnyKernel, Constants } from "../../engine/kernel.ts";
import type { MatrixFormat, WeightFormat } from "../../engine/dtypes.ts";
import { attentionKernels } from "../../kernels/attention/attention.ts";
import { decodeKernel } from "../../kernels/attention/decode/decode.ts";
import { chunksOf, kvAppendKernel } from "../../kernels/attention/versions.ts";
import { chooseLayernorm, chooseStorage } from "../../kernels/choose.ts";
import { embeddingGivenKernel, embeddingKernel } from "../../kernels/embedding/versions.ts";
import { layernormVersions } from "../../kernels/layernorm/versions.ts";
import { matmulKernels } from "../../kernels/matmul/matmul.ts";
import { sampleConstants } from "../../kernels/sample/sample.ts";
import { sampleRowsKernel, sampleStepKernel } from "../../kernels/sample/versions.ts";
import type { BarkConfig } from "../config/config.ts";
import { resolveCoarse, resolveFine, resolveSemantic } from "../generate/options/generate_options.ts";
import type { BarkGenerationConfig } from "../config/generation_config.ts";

/** More rows than a GEMV takes: those of a prefill, and few of them, for which software adapters have another tile. */
const manyRows = 64;
const someRows = 8;

/**
 * Starts to compile the kernels of a call with default sampling, so that they are ready when the weights are. The program
 * that needs a kernel reports its error. Deno compiles within the call, so there this changes nothing but the moment.
 */
export function compileAhead(
  gpu: Gpu,
  { semantic_config: config }: BarkConfig,
  generation_config: BarkGenerationConfig,
  format: MatrixFormat,
): void {
  const { hidden_size: width, num_heads: heads, block_size: capacity } = config;
  const tables: WeightFormat = format === "q8" ? "f16" : format;
  const attended = { headDim: width / heads, chunks: chunksOf(capacity) };
  const start = (kernel: AnyKernel, weights: MatrixFormat, constants: Constants = {}): void =>
    void gpu.pipelines.get(kernel, weights, constants);
  // In the order of their first use.
  for (const kernel of [embeddingGivenKernel, embeddingKernel]) start(kernel, tables);
  for (const rows of [manyRows, someRows, 1])
    for (const weights of new Set([chooseStorage(gpu, format), chooseStorage(gpu, tables)]))
      for (const [kernel, constants] of matmulKernels(gpu, rows, width, attended)) start(kernel, weights, constants);
  const others = [
    ...layernormVersions[chooseLayernorm(gpu, width)].kernels,
    kvAppendKernel,
    ...attentionKernels(gpu, width / heads),
    // All blocks in one dispatch, if that is forced, were compiled when the adapter was tried.
    ...(gpu.versions.has("decode_blocks") ? [] : [decodeKernel(gpu, { heads, headDim: width / heads, capacity })]),
  ];
  for (const kernel of others) start(kernel, "f32");
  try {
    startSampling(gpu, generation_config);
  } catch {
    // generate() reports invalid defaults: it can name the keyword.
  }
}

function startSampling(gpu: Gpu, config: BarkGenerationConfig): void {
  const steps = [resolveSemantic({}, config.semantic_config), resolveCoarse({}, config.coarse_acoustics_config)];
  for (const { do_sample, top_k, top_p } of steps) {
    const constants = sampleConstants(gpu, 1, { greedy: !do_sample, topK: top_k, topP: top_p });
    void gpu.pipelines.get(sampleStepKernel, "f32", constants);
  }
  const { temperature } = resolveFine({}, config.fine_acoustics_config);
  const constants = sampleConstants(gpu, manyRows, { greedy: temperature === null });
  void gpu.pipelines.get(sampleRowsKernel, "f32", constants);
}
