import { defineKernel, optionalRead, read, readWrite } from "../../engine/kernel.ts";
import type { Program } from "../../engine/program.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { AttentionShape, Rows } from "./attention.ts";
import { attentionParams, attentionValues } from "./params.ts";

/** Queries whose scores lie in storage at a time: of 12 heads over 1024 keys, 3 MB, which caches hold. */
const stripQueries = 64;

const preludes = [new URL("./strip_params.wgsl", import.meta.url)];
const params = { first_query: "u32", rows: "u32", ...attentionParams } as const;

export const attentionScoresKernel = defineKernel({
  name: "attention.strip_scores",
  source: new URL("./attention_scores.wgsl", import.meta.url),
  preludes,
  bindings: { q: read("f32"), k: read("f32"), scores: readWrite("f32") },
  params,
  workgroups: ({ keys, rows, heads }) => [Math.ceil(keys / 64), Math.ceil(rows / 8), heads],
});

export const attentionSoftmaxKernel = defineKernel({
  name: "attention.strip_softmax",
  source: new URL("./attention_softmax.wgsl", import.meta.url),
  preludes,
  bindings: { mask: optionalRead("u32"), scores: readWrite("f32") },
  params,
  workgroups: ({ rows, heads }) => [Math.ceil((rows * heads) / 8)],
});

export const attentionValuesKernel = defineKernel({
  name: "attention.strip_values",
  source: new URL("./attention_values.wgsl", import.meta.url),
  preludes,
  bindings: { weights: read("f32"), v: read("f32"), y: readWrite("f32") },
  params,
  workgroups: ({ head_dim, rows, heads }) => [Math.ceil(head_dim / 64), Math.ceil(rows / 8), heads],
});

export const stripKernels = [attentionScoresKernel, attentionSoftmaxKernel, attentionValuesKernel];

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
  const { queries, keys: allKeys, past = 0, causal, mask } = shape;
  for (let first = 0; first < queries; first += stripQueries) {
    const rows = Math.min(stripQueries, queries - first);
    // Without a mask the keys after a strip weigh nothing; with one they may be all that is left.
    const keys = causal && mask === undefined ? Math.min(allKeys, past + first + rows) : allKeys;
    const values = { first_query: first, rows, ...attentionValues({ q, k, v }, { ...shape, keys }) };
    program.dispatch(attentionScoresKernel, { q: q.tensor, k: k.tensor, scores }, values);
    program.dispatch(attentionSoftmaxKernel, { mask, scores }, values);
    program.dispatch(attentionValuesKernel, { weights: scores, v: v.tensor, y }, values);
  }
}
