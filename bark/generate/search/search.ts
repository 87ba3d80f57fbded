import { EngineError } from "../../../engine/errors.ts";
import { noiseOf, type Draw } from "../../../kernels/sample/philox.ts";
import type { PrefillInput } from "../../gpt/causal_weights.ts";
import type { LogitsSource } from "../../gpt/logits_session.ts";
import type { CausalOptions } from "../options/causal_options.ts";
import type { LogitsProcessor, Sequences } from "../logits/processor.ts";

/** A search on the host: what the model sees, and how tokens follow from its scores. */
export interface Search {
  readonly source: LogitsSource;
  /** Of each sequence: a row of the batch comes as often as it has beams or answers. */
  readonly inputs: readonly PrefillInput[];
  /** What processors and criteria see of the inputs: transformers' `input_ids`. */
  readonly ids: Sequences;
  readonly options: CausalOptions;
  readonly processors: readonly LogitsProcessor[];
  /** Most ids of a sequence, the input's included. */
  readonly maxLength: number;
  /** Of the draws: the step counts on from here, and the row begins anew after `rows` of them. */
  readonly draw: Omit<Draw, "row"> & { readonly rows: number };
  readonly signal?: AbortSignal | undefined;
  /** Called after every step with the tokens of each sequence so far. */
  readonly onStep: (count: number) => void;
}

export async function processed(
  processors: readonly LogitsProcessor[],
  sequences: Sequences,
  scores: Float32Array[],
): Promise<Float32Array[]> {
  for (const processor of processors) scores = await processor(sequences, scores);
  return scores;
}

/** The place of the largest value, the first of equals; the first NaN if there is one, as torch.argmax. */
export function argmax(values: Float32Array): number {
  let best = 0;
  for (const [place, value] of values.entries()) {
    if (Number.isNaN(value)) return place;
    if (value > values[best]) best = place;
  }
  return best;
}

/**
 * Scores with the noise of a draw: the largest is a draw from softmax(scores), and so is each next one from the rest. The
 * noise is that of the GPU's kernel. @throws EngineError `usage` where nothing is left to draw, which torch refuses, too.
 */
export function withNoise(scores: Float32Array, draw: Draw): Float64Array {
  let most = -Infinity;
  for (const score of scores) most = Math.max(most, score);
  if (!Number.isFinite(most))
    throw new EngineError("usage", "the keywords leave no token to draw", {
      where: "generate",
      fix: "give do_sample: false, or forbid fewer tokens",
    });
  const noise = noiseOf(draw);
  return Float64Array.from(scores, (score, id) => (score === -Infinity ? -Infinity : score - noise(id)));
}
