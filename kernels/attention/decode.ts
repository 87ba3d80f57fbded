import { EngineError } from "../../engine/errors.ts";
import type { Gpu } from "../../engine/gpu.ts";
import { defineKernel, read, readWrite, type AnyKernel } from "../../engine/kernel.ts";
import type { Program } from "../../engine/program.ts";
import type { TensorMaker } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { chooseAttentionDecode } from "../choose.ts";

const params = { rows: "u32", heads: "u32", head_dim: "u32", capacity: "u32", scale: "f32" } as const;

/** 64 lanes a head, scores in storage: any width of head and any capacity. */
export const attentionDecodeKernel = defineKernel({
  name: "attention.decode",
  source: new URL("./attention_decode.wgsl", import.meta.url),
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

const chunkBindings = {
  qkv: read("f32"),
  state: read("u32"),
  k_cache: readWrite("f32"),
  v_cache: readWrite("f32"),
  parts: readWrite("f32"),
};

/** Keys of a chunk, as in attention_decode_chunks.wgsl and attended_input.wgsl. */
const chunkKeys = 128;
const chunksOf = (capacity: number): number => Math.ceil(capacity / chunkKeys);

/** Eight lanes a head, four keys a lane: for software adapters. */
export const attentionDecodeQuadsKernel = defineKernel({
  name: "attention.decode_quads",
  source: new URL("./attention_decode_quads.wgsl", import.meta.url),
  bindings: quadBindings,
  params,
  workgroups: ({ rows, heads }) => [heads, rows],
});

/** One subgroup a head that walks over the keys: for lavapipe with subgroups of eight lanes. */
export const attentionDecodeOnlineKernel = defineKernel({
  name: "attention.decode_online",
  source: new URL("./attention_decode_online.wgsl", import.meta.url),
  bindings: quadBindings,
  params,
  features: ["subgroups"],
  subgroupLanes: 8,
  workgroups: ({ rows, heads }) => [heads, rows],
});

/** 256 lanes a head, among which the keys are split: for GPUs. */
export const attentionDecodeSplitKernel = defineKernel({
  name: "attention.decode_split",
  source: new URL("./attention_decode_split.wgsl", import.meta.url),
  preludes: [new URL("./lane_reduce.wgsl", import.meta.url)],
  bindings: quadBindings,
  params,
  workgroups: ({ rows, heads }) => [heads, rows],
});

/** {@link attentionDecodeSplitKernel} with subgroups. */
export const attentionDecodeSubgroupsKernel = defineKernel({
  name: "attention.decode_subgroups",
  source: new URL("./attention_decode_split.wgsl", import.meta.url),
  preludes: [new URL("./lane_reduce_subgroups.wgsl", import.meta.url)],
  bindings: quadBindings,
  params,
  features: ["subgroups"],
  workgroups: ({ rows, heads }) => [heads, rows],
});

/**
 * 256 lanes a head and chunk of 128 keys: for GPUs. It leaves a part for each chunk, which the product that follows merges:
 * see {@link Attended}.
 */
export const attentionDecodeChunksKernel = defineKernel({
  name: "attention.decode_chunks",
  source: new URL("./attention_decode_chunks.wgsl", import.meta.url),
  preludes: [new URL("./lane_reduce.wgsl", import.meta.url)],
  bindings: chunkBindings,
  params,
  workgroups: ({ rows, heads, capacity }) => [chunksOf(capacity), heads, rows],
});

/** {@link attentionDecodeChunksKernel} with subgroups. */
export const attentionDecodeChunksSubgroupsKernel = defineKernel({
  name: "attention.decode_chunks_subgroups",
  source: new URL("./attention_decode_chunks.wgsl", import.meta.url),
  preludes: [new URL("./lane_reduce_subgroups.wgsl", import.meta.url)],
  bindings: chunkBindings,
  params,
  features: ["subgroups"],
  workgroups: ({ rows, heads, capacity }) => [chunksOf(capacity), heads, rows],
});

const quadVersions = {
  quads: attentionDecodeQuadsKernel,
  online: attentionDecodeOnlineKernel,
  split: attentionDecodeSplitKernel,
  subgroups: attentionDecodeSubgroupsKernel,
};
const chunkVersions = { chunks: attentionDecodeChunksKernel, chunks_subgroups: attentionDecodeChunksSubgroupsKernel };
export const attentionDecodeVersions = { lanes: attentionDecodeKernel, ...quadVersions, ...chunkVersions };
export type AttentionDecodeVersion = keyof typeof attentionDecodeVersions;

/** Positions whose scores `quads`, `split` and `subgroups` keep in workgroup memory, and the widest head that 256 lanes share out. */
const [mostPositions, widestHead] = [1024, 256];

/** The widest head whose keys 256 lanes share out eight each, and pairs of a head and a chunk that the merge has room for. */
const [widestChunkHead, mostParts] = [64, 512];

/** The widest head that eight lanes hold in two quads each. */
const widestOnlineHead = 64;

interface Heads {
  readonly heads: number;
  readonly headDim: number;
  readonly capacity: number;
}

/** Whether a device can decode these heads over a cache of this capacity with a version. */
export function decodes(gpu: Gpu, version: AttentionDecodeVersion, { heads, headDim, capacity }: Heads): boolean {
  if (version === "lanes") return true;
  if (!gpu.supports(attentionDecodeVersions[version]) || headDim % 4 !== 0) return false;
  if (headDim > widestOf(version)) return false;
  if (isChunked(version)) return heads * chunksOf(capacity) <= mostParts;
  return version === "online" || capacity <= mostPositions;
}

function widestOf(version: AttentionDecodeVersion): number {
  if (version === "online") return widestOnlineHead;
  return isChunked(version) ? widestChunkHead : widestHead;
}

function isChunked(version: AttentionDecodeVersion): version is keyof typeof chunkVersions {
  return Object.hasOwn(chunkVersions, version);
}

/** What {@link attentionDecode} works in: [rows, *]. */
export function decodeScratch(maker: TensorMaker, { rows, heads, headDim, capacity }: DecodeShape): Tensor<"f32"> {
  const [scores, parts] = [heads * capacity, heads * chunksOf(capacity) * (headDim + 4)];
  return maker.tensor("f32", [rows, Math.max(scores, parts)], "attention scratch");
}

/** Attention that is left in parts, one for each chunk of the cache: `matmul` takes it as its input and merges them. */
export interface Attended {
  /** [rows, chunks, heads, headDim/4 + 1] of four values, in the scratch that {@link attentionDecode} was given. */
  readonly parts: Tensor<"f32">;
  /** Tells how many of the chunks are in use. */
  readonly state: Tensor<"u32">;
  readonly headDim: number;
  readonly chunks: number;
}

/** The kernel of {@link attentionDecode}. */
export function decodeKernel(gpu: Gpu, heads: Heads): AnyKernel {
  return attentionDecodeVersions[chooseAttentionDecode(gpu, heads)];
}

export const kvAppendKernel = defineKernel({
  name: "attention.kv_append",
  source: new URL("./kv_append.wgsl", import.meta.url),
  bindings: { qkv: read("f32"), k_cache: readWrite("f32"), v_cache: readWrite("f32") },
  params: { rows: "u32", width: "u32", first: "u32", qkv_row: "u32" },
  workgroups: ({ rows, width }) => [Math.ceil(width / 32), rows],
});

/** K and V of one layer. Each: [rows, capacity, width] f32. */
export interface KvCache {
  readonly k: Tensor<"f32">;
  readonly v: Tensor<"f32">;
}

export interface DecodeShape extends Heads {
  readonly rows: number;
  /** Forces a version, for tests and benches. */
  readonly version?: AttentionDecodeVersion;
}

/**
 * Records the attention of one new token a row over its cache, after appending the token's K and V at the position that
 * the decode state holds. qkv: [rows, 3 width]; state: [rows, 4] u32; scratch: {@link decodeScratch}; y: [rows, width].
 * @returns what the version leaves in parts for the product that follows; otherwise the result is in `y`.
 * @throws EngineError `usage` if the version that is forced cannot do this shape.
 */
export function attentionDecode(
  program: Program,
  tensors: { qkv: Tensor<"f32">; state: Tensor<"u32">; cache: KvCache; scratch: Tensor<"f32">; y: Tensor<"f32"> },
  shape: DecodeShape,
): Attended | undefined {
  const { qkv, state, cache, scratch, y } = tensors;
  const { rows, heads, headDim, capacity } = shape;
  const version = shape.version ?? chooseAttentionDecode(program.gpu, shape);
  if (!decodes(program.gpu, version, shape))
    throw new EngineError("usage", "this version cannot do this attention here", {
      where: attentionDecodeVersions[version].name,
      expected: `heads of a multiple of four values, at most ${widestOf(version)}; at most ${mostPositions} positions; its features`,
      actual: `${heads} heads of ${headDim} values and ${capacity} positions on ${program.gpu.adapterName}`,
    });
  const values = { rows, heads, head_dim: headDim, capacity, scale: 1 / Math.sqrt(headDim) };
  const inputs = { qkv, state, k_cache: cache.k, v_cache: cache.v };
  if (isChunked(version)) {
    program.dispatch(chunkVersions[version], { ...inputs, parts: scratch }, values);
    return { parts: scratch, state, headDim, chunks: chunksOf(capacity) };
  }
  if (version === "lanes") program.dispatch(attentionDecodeKernel, { ...inputs, scores: scratch, y }, values);
  else program.dispatch(quadVersions[version], { ...inputs, y }, values);
  return undefined;
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
