import { EngineError } from "../../../engine/errors.ts";
import { NdArray } from "../../../engine/ndarray.ts";
import type { StoppingCallback } from "../options/keywords.ts";
import type { Sequences } from "../logits/processor.ts";

/** What can end a sequence. */
export interface StoppingRules {
  /** Most ids of a sequence, the input's included. */
  readonly maxLength: number;
  readonly eos_token_id: readonly number[] | null;
  /** Seconds from now. */
  readonly max_time: number | null;
  readonly stopping_criteria: readonly StoppingCallback[];
}

/** Which sequences are at their end. @param scores of every step, if the caller's criteria may see them. */
export type Stops = (sequences: Sequences, scores: readonly Float32Array[][] | null) => Promise<boolean[]>;

/** transformers' stopping criteria; `max_time` counts from this call. */
export function stopsOf({ maxLength, eos_token_id: eos, max_time, stopping_criteria }: StoppingRules): Stops {
  const start = performance.now();
  const isLate = (): boolean => max_time !== null && performance.now() - start > max_time * 1000;
  return async (sequences, scores) => {
    const late = isLate();
    const done = sequences.map((ids) => late || ids.length >= maxLength || eos?.includes(ids[ids.length - 1]) === true);
    for (const criterion of stopping_criteria) {
      const answers = await ask(criterion, sequences, scores);
      for (const [row, answer] of answers.entries()) done[row] ||= answer;
    }
    return done;
  };
}

async function ask(
  criterion: StoppingCallback,
  sequences: Sequences,
  scores: readonly Float32Array[][] | null,
): Promise<readonly boolean[]> {
  const answer = await criterion(idArray(sequences), scores && scores.map(scoreArray));
  if (typeof answer === "boolean") return sequences.map(() => answer);
  const isRow = (value: unknown): boolean => typeof value === "boolean";
  if (Array.isArray(answer) && answer.length === sequences.length && answer.every(isRow)) return answer as boolean[];
  throw new EngineError("usage", "a stopping criterion answered something else", {
    where: "stopping_criteria",
    expected: `true or false, or one of them for each of ${sequences.length} rows`,
  });
}

/** [rows, length] */
export function idArray(sequences: Sequences): NdArray<Int32Array> {
  return new NdArray(Int32Array.from(sequences.flat()), [sequences.length, sequences[0].length]);
}

/** [rows, vocabulary] */
export function scoreArray(scores: readonly Float32Array[]): NdArray<Float32Array> {
  const width = scores[0].length;
  const all = new Float32Array(scores.length * width);
  for (const [row, own] of scores.entries()) all.set(own, row * width);
  return new NdArray(all, [scores.length, width]);
}
