import type { Device } from "../../engine/device/device.ts";
import type { AnyKernel } from "../../engine/kernel.ts";
import type { Program } from "../../engine/program/program.ts";
import type { TensorMaker } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { chooseAttention } from "../choose.ts";
import { requireVersion } from "../version.ts";
import { attentionValues } from "./params.ts";
import type { AttentionShape, Rows } from "./shape.ts";
import { attentionByStrips, stripElements } from "./strips/strips.ts";
import { attentionVersions, type AttentionVersion } from "./versions.ts";

export type { AttentionShape, Rows } from "./shape.ts";

export interface AttentionOptions {
  /** From {@link attentionScratch}, for shapes at least as large; without it a slower version runs where one is needed. */
  readonly scratch?: Tensor<"f32"> | undefined;
  /** Forces a version, for tests and benches. */
  readonly version?: AttentionVersion;
}

/** The kernels that {@link attention} is made of, given scratch memory. */
export function attentionKernels(gpu: Device, headDim: number): readonly AnyKernel[] {
  return attentionVersions[chooseAttention(gpu, headDim)].kernels;
}

/** Scratch memory for {@link attention}, if the version that is chosen needs any. */
export function attentionScratch(
  maker: TensorMaker,
  shape: { queries: number; keys: number; heads: number; headDim: number; version?: AttentionVersion },
): Tensor<"f32"> | undefined {
  if ((shape.version ?? chooseAttention(maker.gpu, shape.headDim)) !== "strips") return undefined;
  return maker.tensor("f32", [stripElements(shape)], "attention scratch");
}

/**
 * Records scaled dot-product attention (Vaswani et al. 2017), scale 1/sqrt(head_dim) applied after the product.
 * y: [queries, heads * headDim] f32, from element `yFirst` on.
 * @throws EngineError `usage` if the forced version cannot do this shape.
 */
export function attention(
  program: Program,
  q: Rows,
  k: Rows,
  v: Rows,
  y: Tensor<"f32">,
  { scratch, version, ...shape }: AttentionShape & AttentionOptions,
): void {
  const name = version ?? chooseAttention(program.gpu, shape.headDim);
  requireVersion(program.gpu, attentionVersions[name], shape);
  if (name === "strips" && scratch !== undefined) return attentionByStrips(program, { q, k, v }, y, shape, scratch);
  const [kernel] = attentionVersions[name === "strips" ? "query" : name].kernels;
  const tensors = { q: q.tensor, k: k.tensor, v: v.tensor, mask: shape.mask, y };
  program.dispatch(kernel, tensors, attentionValues({ q, k, v }, shape));
}
