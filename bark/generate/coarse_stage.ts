import type { CausalWeights } from "../gpt/causal_weights.ts";
import { DecodeSession } from "../gpt/decode_session.ts";
import type { CoarseOptions } from "./generate_options.ts";
import type { BarkGenerationConfig } from "../config/generation_config.ts";
import { coarseRanges, coarseWindowInput, planCoarse } from "./coarse_plan.ts";
import { drawStages, sampling, type StageRun } from "./stage_run.ts";
import type { HistoryPrompt } from "../voice/history_prompt.ts";

export interface CoarseResult {
  /** Ids of the coarse vocabulary, codebooks interleaved. [batch][n] */
  readonly tokens: number[][];
  /** How many of them belong to each row. */
  readonly lengths: number[];
}

/** Semantic tokens to the first codebooks, window by window (bark-spec 4.3). */
export async function generateCoarse(
  model: CausalWeights,
  semantic: number[][],
  history: HistoryPrompt | null,
  config: BarkGenerationConfig,
  options: CoarseOptions,
  run: StageRun,
): Promise<CoarseResult> {
  const plan = planCoarse(semantic, history, config, model.config.block_size);
  if (plan.maxLength === 0) return { tokens: semantic.map(() => []), lengths: plan.lengths };
  const session = new DecodeSession(model, {
    rows: semantic.length,
    maxTokens: plan.maxLength,
    tokensPerReadback: run.tokensPerReadback,
    // A step's codebook follows from its number within the window.
    sampling: coarseRanges(config, model.config.output_vocab_size).map((range) => ({
      columns: range,
      sample: { ranges: [range], ...sampling(options, run.seed, drawStages.coarse) },
    })),
  });
  try {
    let tokens: number[][] = semantic.map(() => []);
    for (const window of plan.windows) {
      run.report(window.done, plan.maxLength);
      const inputs = tokens.map((row, r) => coarseWindowInput(plan, window, r, row, config));
      await session.prefill(await Promise.all(inputs.map((ids) => model.prefillInput(ids))), run.signal);
      await session.decode(window.count, async (sampled) => {
        tokens = await session.readTokens();
        run.report(window.done + sampled, plan.maxLength);
        return false;
      });
    }
    return { tokens, lengths: plan.lengths };
  } finally {
    session.dispose();
  }
}
