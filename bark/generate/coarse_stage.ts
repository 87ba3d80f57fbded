import type { CausalWeights } from "../gpt/causal_weights.ts";
import { DecodeSession } from "../gpt/decode_session.ts";
import type { CoarseOptions } from "./options/generate_options.ts";
import type { BarkGenerationConfig } from "../config/generation_config.ts";
import { coarseHistory, coarseRanges, coarseWindowInput, planCoarse, type CoarsePlan } from "./coarse_plan.ts";
import { needsHost } from "./search/needs_host.ts";
import { drawStages, sampling, type StageRun, type WindowsPlace } from "./stage_run.ts";
import { isVoicePerRow, voiceOfRow, type BatchVoice, type HistoryPrompt } from "../voice/history_prompt.ts";

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

/**
 * Semantic tokens to the first codebooks, window by window (bark-spec 4.3). With a voice a row the rows are cut to their
 * own lengths, and those whose voices are equally long run together: their windows have one shape.
 */
export async function generateCoarse(
  model: CausalWeights,
  semantic: number[][],
  history: BatchVoice,
  config: BarkGenerationConfig,
  options: CoarseOptions,
  run: StageRun,
): Promise<CoarseResult> {
  const drawRows = run.drawRows(semantic.length);
  if (!isVoicePerRow(history)) {
    const plan = planCoarse(semantic, history, config, model.config.block_size);
    return { tokens: await generateWindows(model, plan, config, options, run, { drawRows }), lengths: plan.lengths };
  }
  const groups = groupsOf(semantic, history, config).map(({ rows, voices }) => {
    const tokens = rows.map((row) => semantic[row]);
    return { rows, plan: planCoarse(tokens, voices, config, model.config.block_size) };
  });
  const total = groups.reduce((sum, { plan }) => sum + plan.maxLength, 0);
  const result: CoarseResult = { tokens: [], lengths: [] };
  let before = 0;
  for (const { rows, plan } of groups) {
    const tokens = await generateWindows(model, plan, config, options, run, { drawRows, before, total });
    for (const [i, row] of rows.entries()) {
      result.lengths[row] = plan.lengths[i];
      result.tokens[row] = tokens[i].slice(0, plan.lengths[i]);
    }
    before += plan.maxLength;
  }
  return result;
}

interface VoiceGroup {
  readonly rows: number[];
  readonly voices: (HistoryPrompt | null)[];
}

/** Rows whose voices give windows of one shape. */
function groupsOf(semantic: readonly unknown[], history: BatchVoice, config: BarkGenerationConfig): VoiceGroup[] {
  const groups = new Map<string, VoiceGroup>();
  for (const row of semantic.keys()) {
    const voice = voiceOfRow(history, row, semantic.length);
    const own = coarseHistory(voice, config);
    const shape = `${own.semantic.length}, ${own.coarse.length}`;
    const group = groups.get(shape) ?? { rows: [], voices: [] };
    groups.set(shape, group);
    group.rows.push(row);
    group.voices.push(voice);
  }
  return [...groups.values()];
}

/** Coarse tokens of the rows of a plan. [rows][maxLength] */
async function generateWindows(
  model: CausalWeights,
  plan: CoarsePlan,
  config: BarkGenerationConfig,
  options: CoarseOptions,
  run: StageRun,
  { drawRows, before = 0, total = plan.maxLength }: WindowsPlace,
): Promise<number[][]> {
  if (plan.maxLength === 0) return plan.semantic.map(() => []);
  if (needsHost(options) || hostOptions.some((name) => options[name] !== null))
    return await (
      await import("./search/coarse_search.ts")
    ).searchWindows(model, plan, config, options, run, { drawRows, before, total });
  const session = new DecodeSession(model, {
    rows: plan.semantic.length,
    maxTokens: plan.maxLength,
    tokensPerReadback: run.tokensPerReadback,
    // A step's codebook follows from its number within the window.
    sampling: coarseRanges(config, model.config.output_vocab_size).map((range) => ({
      columns: range,
      sample: { ranges: [range], ...sampling(options, { seed: run.seed, stage: drawStages.coarse, drawRows }) },
    })),
  });
  try {
    let tokens: number[][] = plan.semantic.map(() => []);
    for (const window of plan.windows) {
      run.report(before + window.done, total);
      const inputs = tokens.map((row, r) => coarseWindowInput(plan, window, r, row, config));
      await session.prefill(await Promise.all(inputs.map((ids) => model.prefillInput(ids))), run.signal);
      await session.decode(window.count, async (sampled) => {
        tokens = await session.readTokens();
        run.report(before + window.done + sampled, total);
        return false;
      });
    }
    return tokens;
  } finally {
    session.dispose();
  }
}
