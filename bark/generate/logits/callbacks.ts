import { EngineError } from "../../../engine/errors.ts";
import { NdArray } from "../../../engine/ndarray.ts";
import type { LogitsCallback, PrefixCallback } from "../options/keywords.ts";
import { idArray, scoreArray } from "../search/stopping.ts";
import type { LogitsProcessor } from "./processor.ts";

/** One of `logits_processor`. @throws EngineError `usage` for an answer of another shape. */
export function userProcessor(callback: LogitsCallback): LogitsProcessor {
  return async (sequences, scores) => {
    const given = scoreArray(scores);
    const answer: unknown = await callback(idArray(sequences), given);
    const isAlike =
      answer instanceof NdArray && answer.data instanceof Float32Array && answer.shape.join() === given.shape.join();
    if (!isAlike)
      throw new EngineError("usage", "a logits processor answered something else", {
        where: "logits_processor",
        expected: `the scores, float32 [${given.shape.join(", ")}]`,
      });
    return scores.map((_, row) => (answer as NdArray<Float32Array>).row(row).data);
  };
}

/**
 * `prefix_allowed_tokens_fn`: only the ids that it answers. Where all beams of a row have none of them left the ids are
 * forced. @param beams sequences of each row.
 */
export function prefixAllowed(allowed: PrefixCallback, beams: number): LogitsProcessor {
  return (sequences, scores) => {
    const ids = sequences.map((sequence, i) => allowedIds(allowed, Math.floor(i / beams), sequence));
    for (const [i, own] of scores.entries()) for (const id of own.keys()) if (!ids[i].has(id)) own[id] = -Infinity;
    for (let first = 0; first < scores.length; first += beams) {
      const row = scores.slice(first, first + beams);
      if (row.every((own) => own.every((score) => score === -Infinity)))
        for (const [i, own] of row.entries()) for (const id of ids[first + i]) own[id] = 0;
    }
    return scores;
  };
}

function allowedIds(allowed: PrefixCallback, row: number, sequence: readonly number[]): ReadonlySet<number> {
  const ids = new Set(allowed(row, sequence));
  if (ids.size > 0) return ids;
  throw new EngineError("usage", `allows no id for row ${row}`, { where: "prefix_allowed_tokens_fn" });
}
