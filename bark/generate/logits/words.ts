import { checkAnswerable, eachRow, type LogitsProcessor } from "./processor.ts";

/** Ids in a row and what is added to the score of their last one where the others came just before. */
export type SequenceBias = readonly [ids: readonly number[], bias: number];

/**
 * `sequence_bias`. Of a sequence that is given twice the last bias counts. Longer ones are added up by length, in the order
 * in which their lengths first come, as transformers does: sums of f32 depend on it.
 * @param where the keyword, for errors. @throws EngineError `usage` for an id past the scores.
 */
export function sequenceBias(biases: readonly SequenceBias[], where = "sequence_bias"): LogitsProcessor {
  const unique = [...new Map(biases.map(([ids, bias]) => [ids.join(), [ids, Math.fround(bias)] as const])).values()];
  const lengths = [...new Set([1, ...unique.map(([ids]) => ids.length).filter((length) => length > 0)])];
  const ordered = lengths.flatMap((length) => unique.filter(([ids]) => ids.length === length));
  return eachRow((scores, ids) => {
    const sums = new Map<number, number>();
    for (const [sequence, bias] of ordered) {
      checkAnswerable(sequence, scores, where);
      const last = sequence[sequence.length - 1];
      if (endsWith(ids, sequence.slice(0, -1))) sums.set(last, Math.fround((sums.get(last) ?? 0) + bias));
    }
    for (const [id, sum] of sums) scores[id] += sum;
  });
}

/** `bad_words_ids`: the last id of each list cannot follow the others. A list of an end of sequence alone does not count. */
export function badWords(words: readonly (readonly number[])[], eos: readonly number[] | null): LogitsProcessor {
  const banned = words.filter((ids) => !(ids.length === 1 && eos?.includes(ids[0]) === true));
  return sequenceBias(
    banned.map((ids) => [ids, -Infinity]),
    "bad_words_ids",
  );
}

/** `suppress_tokens`; with `length` `begin_suppress_tokens`, which count for a sequence of that length alone. */
export function suppress(ids: readonly number[], length?: number): LogitsProcessor {
  return eachRow((scores, sequence) => {
    if (length !== undefined && sequence.length !== length) return;
    for (const id of ids) if (id < scores.length) scores[id] = -Infinity;
  });
}

function endsWith(ids: readonly number[], ending: readonly number[]): boolean {
  const start = ids.length - ending.length;
  return start >= 0 && ending.every((id, i) => ids[start + i] === id);
}
