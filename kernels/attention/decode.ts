import { EngineError } from "../../engine/errors.ts";
import type { Gpu } from "../../engine/gpu.ts";
import { defineKernel, read, readWrite, type AnyKernel } from "../../engine/kernel.ts";
import type { Program } from "../../engine/program.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { chooseAttentionDecode } from "../choose.ts";

const file = (name: string): URL => new URL(name, import.meta.url);
const params = { rows: "u32", heads: "u32", head_dim: "u32", capacity: "u32", scale: "f32" } as const;

/** 64 lanes a head, scores in storage: any width of head and any capacity. */
export const attentionDecodeKernel = defineKernel({
  name: "attention.decode",
  source: file("attention_decode.wgsl"),
  bindings: {
    qkv: read("f32"),
    state: read("u32"),
    k_cache: readWrite("f32"),
    v_cache: readWrite("f32"),
    scores: readWrite("f32"),
    y: readWrite("f32"),
  },
  params,
  workgroups: ({ rows, heads }) => [heads, rows],
});

const quadBindings = {
  qkv: read("f32"),
  state: read("u32"),
  k_cache: readWrite("f32"),
  v_cache: readWrite("f32"),
  y: readWrite("f32"),
};

/** Eight lanes a head, four keys a lane: for software adapters. */
export const attentionDecodeQuadsKernel = defineKernel({
  name: "attention.decode_quads",
  source: file("attention_decode_quads.wgsl"),
  bindings: quadBindings,
  params,
  workgroups: ({ rows, heads }) => [heads, rows],
});

/** 256 lanes a head, among which the keys are split: for GPUs. */
export const attentionDecodeSplitKernel = defineKernel({
  name: "attention.decode_split",
  source: file("attention_decode_split.wgsl"),
  preludes: [file("lane_reduce.wgsl")],
  bindings: quadBindings,
  params,
  workgroups: ({ rows, heads }) => [heads, rows],
});

/** {@link attentionDecodeSplitKernel} with subgroups. */
export const attentionDecodeSubgroupsKernel = defineKernel({
  name: "attention.decode_subgroups",
  source: file("attention_decode_split.wgsl"),
  preludes: [file("lane_reduce_subgroups.wgsl")],
  bindings: quadBindings,
  params,
  features: ["subgroups"],
  workgroups: ({ rows, heads }) => [heads, rows],
});

const quadVersions = {
  quads: attentionDecodeQuadsKernel,
  split: attentionDecodeSplitKernel,
  subgroups: attentionDecodeSubgroupsKernel,
};
export const attentionDecodeVersions = { lanes: attentionDecodeKernel, ...quadVersions };
export type AttentionDecodeVersion = keyof typeof attentionDecodeVersions;

/** Positions whose scores all versions but one keep in workgroup memory, and the widest head that 256 lanes share out. */
const [mostPositions, widestHead] = [1024, 256];

/** Whether a device can decode heads of this width over a cache of this capacity with a version. */
export function decodes(gpu: Gpu, version: AttentionDecodeVersion, headDim: number, capacity: number): boolean {
  if (version === "lanes") return true;
  return (
    gpu.supports(attentionDecodeVersions[version]) &&
    headDim % 4 === 0 &&
    headDim <= widestHead &&
    capacity <= mostPositions
  );
}

/** The kernel of {@link attentionDecode}. */
export function decodeKernel(gpu: Gpu, headDim: number, capacity: number): AnyKernel {
  return attentionDecodeVersions[chooseAttentionDecode(gpu, headDim, capacity)];
}

export const kvAppendKernel = defineKernel({
  name: "attention.kv_append",
  source: file("kv_append.wgsl"),
  bindings: { qkv: read("f32"), k_cache: readWrite("f32"), v_cache: readWrite("f32") },
  params: { rows: "u32", width: "u32", first: "u32", qkv_row: "u32" },
  workgroups: ({ rows, width }) => [Math.ceil(width / 32), rows],
});

/** K and V of one layer. Each: [rows, capacity, width] f32. */
export interface KvCache {
  readonly k: Tensor<"f32">;
  readonly v: Tensor<"f32">;
}

export interface DecodeShape {
  readonly rows: number;
  readonly heads: number;
  readonly headDim: number;
  readonly capacity: number;
  /** Forces a version, for tests and benches. */
  readonly version?: AttentionDecodeVersion;
}

/**
 * Records the attention of one new token a row over its cache, after appending the token's K and V at the position that
 * the decode state holds. qkv: [rows, 3 width]; state: [rows, 4] u32; scores: [rows, heads, capacity]; y: [rows, width].
 * @throws EngineError `usage` if the version that is forced cannot do this shape.
 */
export function attentionDecode(
  program: Program,
  tensors: { qkv: Tensor<"f32">; state: Tensor<"u32">; cache: KvCache; scores: Tensor<"f32">; y: Tensor<"f32"> },
  shape: DecodeShape,
): void {
  const { qkv, state, cache, scores, y } = tensors;
  const { rows, heads, headDim, capacity } = shape;
  const version = shape.version ?? chooseAttentionDecode(program.gpu, headDim, capacity);
  if (!decodes(program.gpu, version, headDim, capacity))
    throw new EngineError("usage", "this version cannot do this attention here", {
      where: attentionDecodeVersions[version].name,
      expected: `heads of a multiple of four values, at most ${widestHead}; at most ${mostPositions} positions; its features`,
      actual: `${headDim} values and ${capacity} positions on ${program.gpu.adapterName}`,
    });
  const values = { rows, heads, head_dim: headDim, capacity, scale: 1 / Math.sqrt(headDim) };
  const common = { qkv, state, k_cache: cache.k, v_cache: cache.v, y };
  if (version === "lanes") return program.dispatch(attentionDecodeKernel, { ...common, scores }, values);
  program.dispatch(quadVersions[version], common, values);
}

/** Records the copy of K and V of `rows` positions from row `qkvRow` of qkv [*, 3 width] on to the cache, from element `first` on. */
export function kvAppend(
  program: Program,
  qkv: Tensor<"f32">,
  cache: KvCache,
  { rows, width, first, qkvRow = 0 }: { rows: number; width: number; first: number; qkvRow?: number },
): void {
  program.dispatch(
    kvAppendKernel,
    { qkv, k_cache: cache.k, v_cache: cache.v },
    { rows, width, first, qkv_row: qkvRow },
  );
}
