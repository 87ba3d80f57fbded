import type { CausalWeights } from "../gpt/causal_weights.ts";
import { DecodeSession } from "../gpt/decode_session.ts";
import type { CoarseOptions } from "./generate_options.ts";
import type { BarkGenerationConfig } from "../config/generation_config.ts";
import { coarseRanges, coarseWindowInput, planCoarse, type CoarsePlan } from "./coarse_plan.ts";
import { LogitsSession } from "../gpt/logits_session.ts";
import { alternating } from "./logits/bark.ts";
import { needsHost, runSearch, sequencesPerRow } from "./search/run_search.ts";
import { drawStages, sampling, type StageRun } from "./stage_run.ts";
import type { HistoryPrompt } from "../voice/history_prompt.ts";

export interface CoarseResult {
  /** Ids of the coarse vocabulary, codebooks interleaved. [batch][n] */
  readonly tokens: number[][];
  /** How many of them belong to each row. */
  readonly lengths: number[];
}

/**
 * Of this stage alone: an end of sequence and a time limit make windows of any length, so the host must see every token, and
 * a padding token may stand in the input, where it is masked.
 */
const hostOptions = ["eos_token_id", "max_time", "pad_token_id"] as const;

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
  if (needsHost(options) || hostOptions.some((name) => options[name] !== null))
    return { tokens: await searchCoarse(model, plan, config, options, run), lengths: plan.lengths };
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

/** Window by window by a search on the host, each a generation of its own as in transformers. */
async function searchCoarse(
  model: CausalWeights,
  plan: CoarsePlan,
  config: BarkGenerationConfig,
  options: CoarseOptions,
  run: StageRun,
): Promise<number[][]> {
  const { output_vocab_size } = model.config;
  const ranges = coarseRanges(config, output_vocab_size);
  let tokens: number[][] = plan.semantic.map(() => []);
  const session = new LogitsSession(model, tokens.length * sequencesPerRow(options));
  try {
    for (let i = 0; i < plan.windows.length; i++) {
      const window = plan.windowAt(tokens[0].length);
      const ids = tokens.map((row, r) => coarseWindowInput(plan, window, r, row, config));
      const found = await runSearch({
        model,
        session,
        inputs: await Promise.all(ids.map((row) => model.prefillInput(row))),
        ids,
        idsAreInput: true,
        options,
        own: [alternating(ids[0].length, ranges)],
        maxNewTokens: window.count,
        draw: { seed: run.seed, stage: drawStages.coarse, step: window.done },
        signal: run.signal,
        onStep: (count) => {
          run.report(window.done + count, plan.maxLength);
        },
      });
      tokens = tokens.map((row, r) => [...row, ...found[r]]);
    }
    return tokens;
  } finally {
    session.dispose();
  }
}
