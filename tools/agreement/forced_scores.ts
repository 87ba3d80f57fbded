import type { BarkModel } from "../../bark/model.ts";
import { coarseRanges, coarseWindowInput, planCoarse } from "../../bark/generate/coarse_plan.ts";
import { semanticInput, semanticRanges, type IdRange } from "../../bark/generate/semantic_plan.ts";
import type { HistoryPrompt } from "../../bark/voice/history_prompt.ts";
import { NdArray } from "../../engine/ndarray.ts";

/** Tokens of a run of one text, and what it was run on. */
export interface Spoken {
  readonly ids: readonly number[];
  readonly mask: readonly number[];
  readonly voice: HistoryPrompt | null;
  readonly semantic: readonly number[];
  /** Ids of the coarse vocabulary, codebooks interleaved. */
  readonly coarse: readonly number[];
  /** Codes. [codebooks, frames] */
  readonly fine: NdArray;
}

/** Scores before each token of a stage, at the ids that it may take. */
export interface Scores {
  readonly rows: readonly Float32Array[];
}

export type ForcedStage = "semantic" | "coarse" | "fine";

/**
 * The scores that a model has before each token of a run, given all tokens before it as they are in the run. So one
 * token that differs does not make all after it differ.
 */
export async function forcedScores(model: BarkModel, spoken: Spoken): Promise<Record<ForcedStage, Scores>> {
  return {
    semantic: await semanticScores(model, spoken),
    coarse: await coarseScores(model, spoken),
    fine: await fineScores(model, spoken),
  };
}

async function semanticScores({ semantic, generation_config }: BarkModel, spoken: Spoken): Promise<Scores> {
  const { semantic_config: config } = generation_config;
  const { text, history, infer } = semanticInput([spoken.ids], [spoken.mask], spoken.voice, config);
  const fed = [...history[0], infer, ...spoken.semantic.slice(0, -1)];
  const embeddings = await semantic.weights.use(async (weights) => {
    const sum = await weights.gatherEmbeddings(fed);
    for (const [i, value] of (await weights.gatherEmbeddings(text[0])).entries()) sum[i] += value;
    return sum;
  });
  const { hidden_size, output_vocab_size } = semantic.config;
  const inputs_embeds = new NdArray(embeddings, [1, fed.length, hidden_size]);
  const { logits } = await semantic.forward({ inputs_embeds, use_cache: false });
  return scoresFrom(logits, history[0].length, spoken.semantic.length, () => semanticRanges(config, output_vocab_size));
}

async function coarseScores({ coarse_acoustics, generation_config }: BarkModel, spoken: Spoken): Promise<Scores> {
  const { block_size, output_vocab_size } = coarse_acoustics.config;
  const ranges = coarseRanges(generation_config, output_vocab_size);
  const plan = planCoarse([spoken.semantic], spoken.voice, generation_config, block_size);
  const rows: Float32Array[] = [];
  for (const window of plan.windows) {
    const input = coarseWindowInput(plan, window, 0, spoken.coarse.slice(0, window.done), generation_config);
    const fed = spoken.coarse.slice(window.done, window.done + window.count - 1);
    const { logits } = await coarse_acoustics.forward({ input_ids: [[...input, ...fed]], use_cache: false });
    const scores = scoresFrom(logits, input.length - 1, window.count, (step) => [ranges[step % ranges.length]]);
    rows.push(...scores.rows);
  }
  return { rows };
}

/** Of the codebooks that fine predicts, given those before; no padding and no voice around the frames. */
async function fineScores({ fine_acoustics, generation_config }: BarkModel, { fine }: Spoken): Promise<Scores> {
  const [books, frames] = fine.shape;
  const { codebook_size: size, coarse_acoustics_config } = generation_config;
  const rows: Float32Array[] = [];
  for (let codebook = coarse_acoustics_config.n_coarse_codebooks; codebook < books; codebook++) {
    const codes = Int32Array.from({ length: frames * books }, (_, i) =>
      i % books < codebook ? fine.data[(i % books) * frames + Math.floor(i / books)] : size,
    );
    const input_ids = new NdArray(codes, [1, frames, books]);
    const { logits } = await fine_acoustics.forward({ codebook_idx: codebook, input_ids });
    rows.push(...scoresFrom(logits, 0, frames, () => [[0, size]]).rows);
  }
  return { rows };
}

/** Rows `first` on of logits [1, length, columns], within the ranges of each step. */
function scoresFrom(
  logits: NdArray,
  first: number,
  count: number,
  ranges: (step: number) => readonly IdRange[],
): Scores {
  const columns = logits.shape[2];
  const rows = Array.from({ length: count }, (_, step) => {
    const row = logits.data.subarray((first + step) * columns, (first + step + 1) * columns) as Float32Array;
    return Float32Array.from(ranges(step).flatMap(([start, end]) => Array.from(row.subarray(start, end))));
  });
  return { rows };
}
