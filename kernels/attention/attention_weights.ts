import { defineKernel, optionalRead, read, readWrite } from "../../engine/kernel.ts";
import type { Program } from "../../engine/program.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { AttentionShape, Rows } from "./attention.ts";

export const attentionWeightsKernel = defineKernel({
  name: "attention.weights",
  source: new URL("./attention_weights.wgsl", import.meta.url),
  bindings: { q: read("f32"), k: read("f32"), mask: optionalRead("u32"), y: readWrite("f32") },
  params: {
    queries: "u32",
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
  },
  workgroups: ({ queries, heads }) => [Math.ceil(queries / 32), heads],
});

/** Records the weights with which {@link attention} sums the values. y: [heads, queries, keys] f32. */
export function attentionWeights(
  program: Program,
  q: Rows,
  k: Rows,
  y: Tensor<"f32">,
  { queries, keys, heads, headDim, past = 0, causal, mask }: AttentionShape,
): void {
  program.dispatch(
    attentionWeightsKernel,
    { q: q.tensor, k: k.tensor, mask, y },
    {
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
    },
  );
}
