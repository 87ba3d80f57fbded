import { defineKernel, optionalRead, read, readWrite } from "../../engine/kernel.ts";
import type { Program } from "../../engine/program.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { AttentionShape, Rows } from "./attention.ts";
import { scoreParams, scoreValues } from "./params.ts";

export const attentionWeightsKernel = defineKernel({
  name: "attention.weights",
  source: new URL("./attention_weights.wgsl", import.meta.url),
  bindings: { q: read("f32"), k: read("f32"), mask: optionalRead("u32"), y: readWrite("f32") },
  params: { queries: "u32", ...scoreParams },
  workgroups: ({ queries, heads }) => [Math.ceil(queries / 32), heads],
});

/** Records the weights with which {@link attention} sums the values. y: [heads, queries, keys] f32. */
export function attentionWeights(program: Program, q: Rows, k: Rows, y: Tensor<"f32">, shape: AttentionShape): void {
  program.dispatch(
    attentionWeightsKernel,
    { q: q.tensor, k: k.tensor, mask: shape.mask, y },
    { queries: shape.queries, ...scoreValues(q, k, shape) },
  );
}
