import type { AttentionShape, Rows } from "./attention.ts";

/** Fields of `struct Params`, in its order, of every kernel that scores many queries; how it counts them goes before. */
export const scoreParams = {
  keys: "u32",
  heads: "u32",
  head_dim: "u32",
  past: "u32",
  causal: "u32",
  has_mask: "u32",
  scale: "f32",
  q_first: "u32",
  q_stride: "u32",
  k_first: "u32",
  k_stride: "u32",
} as const;

/** The same of those that also sum the values. */
export const attentionParams = { ...scoreParams, v_first: "u32", v_stride: "u32", y_first: "u32" } as const;

export function scoreValues(q: Rows, k: Rows, shape: AttentionShape): Record<keyof typeof scoreParams, number> {
  const { keys, heads, headDim, past = 0, causal, mask } = shape;
  return {
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
  };
}

export function attentionValues(
  { q, k, v }: { q: Rows; k: Rows; v: Rows },
  shape: AttentionShape,
): Record<keyof typeof attentionParams, number> {
  return { ...scoreValues(q, k, shape), v_first: v.first, v_stride: v.stride, y_first: shape.yFirst ?? 0 };
}
