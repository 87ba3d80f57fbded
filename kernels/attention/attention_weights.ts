import type { Program } from "../../engine/program/program.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { attentionValues } from "./params.ts";
import type { AttentionShape, Rows } from "./shape.ts";
import { attentionWeightsKernel } from "./versions.ts";

/** Records the weights with which `attention` sums the values. y: [heads, queries, keys] f32. */
export function attentionWeights(program: Program, q: Rows, k: Rows, y: Tensor<"f32">, shape: AttentionShape): void {
  const tensors = { q: q.tensor, k: k.tensor, mask: shape.mask, y };
  program.dispatch(attentionWeightsKernel, tensors, attentionValues({ q, k }, shape));
}
