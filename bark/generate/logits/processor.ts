import { EngineError } from "../../../engine/errors.ts";

/** Token ids of every sequence, the input's included. */
export type Sequences = readonly (readonly number[])[];

/**
 * Changes the scores of the next token, a row for each sequence, in place or by answering others. The arithmetic is
 * transformers', in f32 (generation/logits_process.py): a rounding of its own could turn a close call.
 */
export type LogitsProcessor = (
  sequences: Sequences,
  scores: Float32Array[],
) => Float32Array[] | Promise<Float32Array[]>;

/** A processor that looks at one sequence at a time and changes its scores in place. */
export function eachRow(change: (scores: Float32Array, ids: readonly number[], row: number) => void): LogitsProcessor {
  return (sequences, scores) => {
    for (const [row, own] of scores.entries()) change(own, sequences[row], row);
    return scores;
  };
}

/** A processor that puts ids out of the question by their scores alone. @param isRemoved answers for all ids of a row. */
export function filter(isRemoved: (scores: Float32Array) => (id: number) => boolean): LogitsProcessor {
  return eachRow((scores) => {
    const removed = isRemoved(scores);
    const out = Array.from(scores.keys()).filter(removed);
    for (const id of out) scores[id] = -Infinity;
  });
}

/** Ids that scores are set of: transformers ends in an index error for others. @throws EngineError `usage`. */
export function checkAnswerable(ids: readonly number[], { length }: Float32Array, where: string): void {
  const wrong = ids.find((id) => id >= length);
  if (wrong === undefined) return;
  throw new EngineError("usage", "is no id that the model can answer", {
    where,
    expected: `0 to ${length - 1}`,
    actual: wrong,
  });
}
