import type { AttentionShape, Rows } from "./shape.ts";
import type { AttentionParams } from "./versions.ts";

/** The params of a call (params.wgsl). Without `v` the fields of the values stay 0: attention_weights.wgsl sums none. */
export function attentionValues({ q, k, v }: { q: Rows; k: Rows; v?: Rows }, shape: AttentionShape): AttentionParams {
  const { queries, keys, heads, headDim, past = 0, causal, mask, yFirst = 0 } = shape;
  return {
    queries,
    keys,
    heads,
    head_dim: headDim,
    past,
    causal: causal ? 1 : 0,
    has_mask: mask === undefined ? 0 : 1,
    scale: 1 / Math.sqrt(headDim),
    q_first: q.first,
    q_stride: q.stride,
    k_first: k.first,
    k_stride: k.stride,
    v_first: v?.first ?? 0,
    v_stride: v?.stride ?? 0,
    y_first: yFirst,
  };
}
