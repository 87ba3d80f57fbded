import { checkAnswerable, eachRow, type LogitsProcessor, type Sequences } from "./processor.ts";

/**
 * `repetition_penalty`: ids that a sequence holds become unlikelier (penalty above 1), once each.
 * @param ignored leading ids of each sequence that do not count (its padding).
 */
export function repetitionPenalty(penalty: number, ignored?: readonly number[]): LogitsProcessor {
  return eachRow((scores, ids, row) => {
    penalise(scores, ids.slice(ignored?.[row] ?? 0), penalty);
  });
}

/** `encoder_repetition_penalty`: ids of the input become likelier. @param inputs a row each, or one for several sequences. */
export function encoderRepetitionPenalty(penalty: number, inputs: Sequences): LogitsProcessor {
  return eachRow((scores, _ids, row) => {
    penalise(scores, inputs[row], 1 / penalty);
  });
}

function penalise(scores: Float32Array, ids: readonly number[], penalty: number): void {
  const factor = Math.fround(penalty);
  for (const id of new Set(ids))
    if (id < scores.length) scores[id] = scores[id] < 0 ? scores[id] * factor : scores[id] / factor;
}

/**
 * `exponential_decay_length_penalty`: the ends of sequence become likelier, by a power of `factor`, from length `start` on.
 * @param start input included.
 */
export function exponentialDecay(start: number, factor: number, eos: readonly number[]): LogitsProcessor {
  return eachRow((scores, ids) => {
    if (ids.length <= start) return;
    checkAnswerable(eos, scores, "eos_token_id");
    const share = Math.fround(factor ** (ids.length - start) - 1);
    for (const id of new Set(eos)) {
      const penalty = Number.isFinite(scores[id]) ? Math.fround(Math.abs(scores[id]) * share) : 0;
      scores[id] += penalty;
    }
  });
}
