import { NdArray } from "../../engine/ndarray.ts";
import type { BarkFineConfig } from "../config/config.ts";
import { BarkFineGenerationConfig, BarkGenerationConfig } from "../config/generation_config.ts";
import type { CausalWeights } from "../gpt/causal_weights.ts";
import type { FineWeights } from "../gpt/fine_weights.ts";
import type { ResidentPart } from "../load/residency.ts";
import { joinCodes } from "./codes.ts";
import { generateCoarse } from "./coarse_stage.ts";
import { generateFine } from "./fine_stage.ts";
import { resolveCoarse, resolveFine, resolveSemantic } from "./options/generate_options.ts";
import { checkFineFits, checkFinePrompt, checkRates } from "./options/generation_checks.ts";
import { generateSemantic } from "./semantic_stage.ts";
import { readCoarseGenerate, readFineGenerate, readSemanticGenerate, runOf } from "./options/sub_model_arguments.ts";

/** Bark's own size of a codebook. */
const codebookSize = 1024;

/** `BarkSemanticModel.generate`. */
export async function generateSemanticAlone(
  weights: ResidentPart<CausalWeights>,
  given: readonly unknown[],
): Promise<NdArray<Int32Array>> {
  const { input_ids, semantic_generation_config: config, history_prompt = null, ...args } = readSemanticGenerate(given);
  const options = resolveSemantic(args, config);
  const ids = input_ids.tolist() as number[][];
  const run = runOf("semantic", args);
  return tokenArray(
    await weights.use((model) => generateSemantic(model, ids, history_prompt, config, options, run), args),
  );
}

/** `BarkCoarseModel.generate`. */
export async function generateCoarseAlone(
  weights: ResidentPart<CausalWeights>,
  given: readonly unknown[],
): Promise<NdArray<Int32Array> | [NdArray<Int32Array>, NdArray<Int32Array>]> {
  const { semantic_output, history_prompt = null, return_output_lengths, ...args } = readCoarseGenerate(given);
  const config = configOf(args, new BarkFineGenerationConfig());
  const options = resolveCoarse(args, args.coarse_generation_config);
  const semantic = semantic_output.tolist() as number[][];
  const run = runOf("coarse", args);
  const { tokens, lengths } = await weights.use(async (model) => {
    checkRates(config, model.config.block_size - 1, model.config.block_size);
    return await generateCoarse(model, semantic, history_prompt, config, options, run);
  }, args);
  return return_output_lengths === true
    ? [tokenArray(tokens), new NdArray(Int32Array.from(lengths), [lengths.length])]
    : tokenArray(tokens);
}

/** `BarkFineModel.generate`. */
export async function generateFineAlone(
  weights: ResidentPart<FineWeights>,
  fineConfig: BarkFineConfig,
  given: readonly unknown[],
): Promise<NdArray<Int32Array>> {
  const { coarse_output, fine_generation_config, history_prompt = null, ...args } = readFineGenerate(given);
  const config = configOf(args, fine_generation_config);
  checkFineFits(config, fineConfig);
  if (history_prompt !== null) checkFinePrompt(history_prompt, fineConfig);
  const options = resolveFine(args, fine_generation_config);
  const coarse = coarse_output.tolist() as number[][];
  const run = runOf("fine", args);
  const codes = await weights.use((model) => generateFine(model, coarse, history_prompt, config, options, run), args);
  return joinCodes(codes, fine_generation_config.n_fine_codebooks);
}

type Configs = Pick<
  ReturnType<typeof readCoarseGenerate>,
  "semantic_generation_config" | "coarse_generation_config"
> & {
  codebook_size?: number;
};

function configOf(
  { semantic_generation_config, coarse_generation_config, codebook_size = codebookSize }: Configs,
  fine: BarkFineGenerationConfig,
): BarkGenerationConfig {
  return BarkGenerationConfig.from_sub_model_configs(semantic_generation_config, coarse_generation_config, fine, {
    codebook_size,
  });
}

/** [rows, n] */
function tokenArray(rows: readonly (readonly number[])[]): NdArray<Int32Array> {
  return new NdArray(Int32Array.from(rows.flat()), [rows.length, rows[0].length]);
}
