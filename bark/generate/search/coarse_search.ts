import type { BarkGenerationConfig } from "../../config/generation_config.ts";
import type { CausalWeights } from "../../gpt/causal_weights.ts";
import { LogitsSession } from "../../gpt/logits_session.ts";
import { coarseRanges, coarseWindowInput, type CoarsePlan } from "../coarse_plan.ts";
import type { CoarseOptions } from "../options/generate_options.ts";
import { alternating } from "../logits/bark.ts";
import { drawStages, type StageRun, type WindowsPlace } from "../stage_run.ts";
import { sequencesPerRow } from "./needs_host.ts";
import { runSearch } from "./run_search.ts";

/** Coarse tokens of the rows of a plan by a search on the host: each window is a generation of its own, as in transformers. */
export async function searchWindows(
  model: CausalWeights,
  plan: CoarsePlan,
  config: BarkGenerationConfig,
  options: CoarseOptions,
  run: StageRun,
  { drawRows, before, total }: Required<WindowsPlace>,
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
        draw: { seed: run.seed, stage: drawStages.coarse, rows: drawRows, step: window.done },
        signal: run.signal,
        onStep: (count) => {
          run.report(before + window.done + count, total);
        },
      });
      tokens = tokens.map((row, r) => [...row, ...found[r]]);
    }
    return tokens;
  } finally {
    session.dispose();
  }
}
