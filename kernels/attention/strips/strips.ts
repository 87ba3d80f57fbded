import type { Program } from "../../../engine/program/program.ts";
import type { Tensor } from "../../../engine/tensor.ts";
import { attentionValues } from "../params.ts";
import type { AttentionShape, Rows } from "../shape.ts";
import { stripsScores, stripsSoftmax, stripsValues } from "../versions.ts";

/** Queries of a strip: their scores (12 heads over 1024 keys: 3 MB) stay in caches. */
const stripQueries = 64;

/** Elements of the scores of one strip, at most. */
export function stripElements({ queries, keys, heads }: { queries: number; keys: number; heads: number }): number {
  return heads * Math.min(queries, stripQueries) * 4 * (Math.ceil(keys / 4) + 1);
}

/** Records attention strip by strip. @param scores {@link stripElements} elements, scratch. */
export function attentionByStrips(
  program: Program,
  { q, k, v }: { q: Rows; k: Rows; v: Rows },
  y: Tensor<"f32">,
  shape: AttentionShape,
  scores: Tensor<"f32">,
): void {
  const { keys: allKeys, past = 0, causal, mask, yFirst = 0 } = shape;
  for (let first = 0; first < shape.queries; first += stripQueries) {
    const queries = Math.min(stripQueries, shape.queries - first);
    // Without a mask the keys after a strip weigh nothing; a mask may leave only those.
    const keys = causal && mask === undefined ? Math.min(allKeys, past + first + queries) : allKeys;
    const strip = {
      ...shape,
      queries,
      keys,
      past: past + first,
      yFirst: yFirst + first * shape.heads * shape.headDim,
    };
    const values = attentionValues({ q: { ...q, first: q.first + first * q.stride }, k, v }, strip);
    program.dispatch(stripsScores, { q: q.tensor, k: k.tensor, scores }, values);
    program.dispatch(stripsSoftmax, { mask, scores }, values);
    program.dispatch(stripsValues, { weights: scores, v: v.tensor, y }, values);
  }
}
