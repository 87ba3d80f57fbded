import { EngineError } from "../../engine/errors.ts";
import type { Device } from "../../engine/device.ts";
import { defineKernel, optionalRead, read, readWrite, type AnyKernel } from "../../engine/kernel.ts";
import type { Program } from "../../engine/program.ts";
import type { TensorMaker } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { chooseAttention } from "../choose.ts";
import { attentionParams, attentionValues } from "./params.ts";
import { attentionByStrips, stripElements, stripKernels } from "./strips.ts";

const bindings = { q: read("f32"), k: read("f32"), v: read("f32"), mask: optionalRead("u32"), y: readWrite("f32") };
const params = { queries: "u32", ...attentionParams } as const;

/** A query an invocation, heads of any width. */
export const attentionKernel = defineKernel({
  name: "attention",
  source: new URL("./attention.wgsl", import.meta.url),
  bindings,
  params,
  workgroups: ({ queries, heads, head_dim }) => [Math.ceil(queries / 32), heads, Math.ceil(head_dim / 64)],
});

/** Tiles in workgroup memory, for GPUs: heads of at most 64 values, a multiple of four. */
export const attentionTileKernel = defineKernel({
  name: "attention.tile",
  source: new URL("./attention_tile.wgsl", import.meta.url),
  bindings,
  params,
  workgroups: ({ queries, heads }) => [Math.ceil(queries / 32), heads],
});

/** Scores and weights in registers, loads by one lane each, for lavapipe: heads of a multiple of four values. */
export const attentionWideKernel = defineKernel({
  name: "attention.wide",
  source: new URL("./attention_wide.wgsl", import.meta.url),
  bindings,
  params,
  features: ["subgroups"],
  subgroupLanes: 8,
  workgroups: ({ queries, heads, head_dim }) => [Math.ceil(queries / 32), heads, Math.ceil(head_dim / 64)],
});

/** Versions of one kernel; `strips` has three, in strips.ts, and needs heads of a multiple of four values. */
const singleKernels = { query: attentionKernel, wide: attentionWideKernel, tile: attentionTileKernel };
export const attentionVersions = ["query", "strips", "wide", "tile"] as const;
export type AttentionVersion = (typeof attentionVersions)[number];

/** Rows of vectors inside a tensor: row i begins at element `first + i * stride`. */
export interface Rows {
  readonly tensor: Tensor<"f32">;
  readonly first: number;
  readonly stride: number;
}

export interface AttentionShape {
  readonly queries: number;
  readonly keys: number;
  readonly heads: number;
  readonly headDim: number;
  /** Position of query 0. Query i sees keys 0..past+i if `causal`. */
  readonly past?: number;
  readonly causal: boolean;
  /** Element of y where query 0 goes; a multiple of four. */
  readonly yFirst?: number;
  /** [keys] u32, 0 = masked. */
  readonly mask?: Tensor<"u32">;
  /** What {@link attentionScratch} made for calls at most as large; without it a slower version runs where one is needed. */
  readonly scratch?: Tensor<"f32"> | undefined;
  /** Forces a version, for tests and benches. */
  readonly version?: AttentionVersion;
}

/** The kernels that {@link attention} is made of, given scratch memory. */
export function attentionKernels(gpu: Device, headDim: number): readonly AnyKernel[] {
  const version = chooseAttention(gpu, headDim);
  return version === "strips" ? stripKernels : [singleKernels[version]];
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
 * @throws EngineError `usage` if the version that is forced cannot do this shape.
 */
export function attention(program: Program, q: Rows, k: Rows, v: Rows, y: Tensor<"f32">, shape: AttentionShape): void {
  const { queries, headDim, mask, scratch } = shape;
  const chosen = shape.version ?? chooseAttention(program.gpu, headDim);
  if (chosen === "wide" && !program.gpu.supports(attentionWideKernel))
    throw new EngineError("usage", "this version of attention needs subgroups of eight lanes", {
      where: "attention.wide",
    });
  if (chosen !== "query" && (headDim % 4 !== 0 || (chosen === "tile" && headDim > 64)))
    throw new EngineError("usage", "this version cannot do this attention", {
      where: `attention.${chosen}`,
      expected:
        chosen === "tile" ? "heads of at most 64 values, a multiple of four" : "heads of a multiple of four values",
      actual: headDim,
    });
  if (chosen === "strips" && scratch !== undefined) return attentionByStrips(program, { q, k, v }, y, shape, scratch);
  program.dispatch(
    singleKernels[chosen === "strips" ? "query" : chosen],
    { q: q.tensor, k: k.tensor, v: v.tensor, mask, y },
    { queries, ...attentionValues({ q, k, v }, shape) },
  );
}
