import { resultOf } from "../../engine/result_of.ts";
import type { CausalWeights } from "../gpt/causal_weights.ts";
import { DecodeSession } from "../gpt/decode_session.ts";
import type { CoarseOptions } from "./options/generate_options.ts";
import type { BarkGenerationConfig } from "../config/generation_config.ts";
import {
  coarseHistory,
  coarseLength,
  coarseRanges,
  coarseWindowInput,
  isWindowSettled,
  planCoarse,
  type CoarsePlan,
} from "./coarse_plan.ts";
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
    return await resultOf(generateWindows(model, wholePlan(plan), config, options, run, { drawRows }));
  }
  const groups = groupsOf(semantic, history, config).map(({ rows, voices }) => {
    const tokens = rows.map((row) => semantic[row]);
    return { rows, plan: planCoarse(tokens, voices, config, model.config.block_size) };
  });
  const total = groups.reduce((sum, { plan }) => sum + plan.maxLength, 0);
  const result: CoarseResult = { tokens: [], lengths: [] };
  let before = 0;
  for (const { rows, plan } of groups) {
    const place = { drawRows, before, total };
    // No one reads the tail of a row: it leaves the batch with its last window.
    const growing = { ...wholePlan(plan), rowsAt: (done: number) => plan.lengths.filter((most) => most > done).length };
    const { tokens } = await resultOf(generateWindows(model, growing, config, options, run, place));
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

/** Rows whose voices give windows of one shape, the longest first. */
function groupsOf(semantic: readonly number[][], history: BatchVoice, config: BarkGenerationConfig): VoiceGroup[] {
  const groups = new Map<string, VoiceGroup>();
  const { semantic_pad_token } = config.semantic_config;
  const lengths = semantic.map((row) => row.filter((id) => id !== semantic_pad_token).length);
  for (const row of [...semantic.keys()].sort((a, b) => lengths[b] - lengths[a])) {
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

/** What a stream of coarse tokens goes on from. */
export interface SemanticStream {
  /** The tokens so far, again and again, and at the end all of them; `streamSemantic`. */
  readonly tokens: AsyncGenerator<number[][], number[][], undefined>;
  /** Most tokens of a row. */
  readonly most: number;
}

/**
 * {@link generateCoarse} of semantic tokens that are still being made: each window begins as soon as no later token can
 * change it, with the same result.
 * @yields after each window the tokens so far, and how many there will be at least; a search on the host, nothing.
 */
export async function* streamCoarse(
  model: CausalWeights,
  semantic: SemanticStream,
  history: HistoryPrompt | null,
  config: BarkGenerationConfig,
  options: CoarseOptions,
  run: StageRun,
): AsyncGenerator<CoarseResult, CoarseResult, undefined> {
  const planOf = (tokens: number[][]): CoarsePlan => planCoarse(tokens, history, config, model.config.block_size);
  let [plan, isWhole] = [planOf([[]]), false];
  const planAt = async (done: number): Promise<PlanSoFar> => {
    while (!isWhole && !isWindowSettled(plan, plan.windowAt(done), config)) {
      const next = await semantic.tokens.next();
      plan = planOf(next.value);
      isWhole = next.done === true;
    }
    return { plan, isWhole };
  };
  const capacity = coarseLength(semantic.most, config);
  return yield* generateWindows(model, { planAt, rows: 1, rowsAt: () => 1, capacity }, config, options, run, {
    drawRows: 1,
  });
}

interface PlanSoFar {
  readonly plan: CoarsePlan;
  /** No more semantic tokens come. */
  readonly isWhole: boolean;
}

/** A plan that may still grow. */
interface GrowingPlan {
  /** With a window that follows `done` tokens and will not change, or the whole plan. */
  planAt(done: number): Promise<PlanSoFar>;
  readonly rows: number;
  /** How many of them, the first ones, are wanted after `done` tokens. */
  rowsAt(done: number): number;
  /** Most tokens of a row. */
  readonly capacity: number;
}

function wholePlan(plan: CoarsePlan): GrowingPlan {
  return {
    planAt: async () => ({ plan, isWhole: true }),
    rows: plan.semantic.length,
    rowsAt: () => plan.semantic.length,
    capacity: plan.maxLength,
  };
}

/** Coarse tokens of the rows of a plan, as many as are wanted of each; yields what there is after each window. */
async function* generateWindows(
  model: CausalWeights,
  growing: GrowingPlan,
  config: BarkGenerationConfig,
  options: CoarseOptions,
  run: StageRun,
  { drawRows, before = 0, total: ofAll }: WindowsPlace,
): AsyncGenerator<CoarseResult, CoarseResult, undefined> {
  if (needsHost(options) || hostOptions.some((name) => options[name] !== null)) {
    const { plan } = await growing.planAt(Infinity);
    const { searchWindows } = await import("./search/coarse_search.ts");
    const { lengths, maxLength } = plan;
    if (maxLength === 0) return { tokens: plan.semantic.map(() => []), lengths };
    const place = { drawRows, before, total: ofAll ?? maxLength };
    return { tokens: await searchWindows(model, plan, config, options, run, place), lengths };
  }
  let tokens: number[][] = Array.from({ length: growing.rows }, () => []);
  let session: DecodeSession | undefined;
  try {
    for (let done = 0; ; done = tokens[0].length) {
      const { plan, isWhole } = await growing.planAt(done);
      const { lengths } = plan;
      if (done >= plan.maxLength) return { tokens, lengths };
      const window = plan.windowAt(done);
      const total = ofAll ?? plan.maxLength;
      run.report(before + done, total, isWhole);
      const rows = growing.rowsAt(done);
      if (session?.rows !== rows) {
        session?.dispose();
        session = undefined;
      }
      session ??= new DecodeSession(model, {
        rows,
        maxTokens: growing.capacity,
        sampledBefore: done,
        tokensPerReadback: run.tokensPerReadback,
        // A step's codebook follows from its number within the window.
        sampling: coarseRanges(config, model.config.output_vocab_size).map((range) => ({
          columns: range,
          sample: { ranges: [range], ...sampling(options, { seed: run.seed, stage: drawStages.coarse, drawRows }) },
        })),
      });
      const inputs = tokens.slice(0, rows).map((row, r) => coarseWindowInput(plan, window, r, row, config));
      // Only the first window begins where the voice does.
      const prefix = done === 0 ? plan.voice : 0;
      await session.prefill(await Promise.all(inputs.map((ids) => model.prefillInput(ids))), run.signal, prefix);
      for await (const read of session.decode(window.count)) {
        tokens = tokens.map((row, r) => (r < rows ? [...row, ...read[r].slice(row.length)] : row));
        run.report(before + tokens[0].length, total, isWhole);
      }
      yield { tokens, lengths };
    }
  } finally {
    session?.dispose();
  }
}
