import { defineKernel, optionalRead, read, readWrite, type AnyKernel } from "../../engine/kernel.ts";
import { nothing, type Lack, type Version } from "../version.ts";
import type { Heads } from "./shape.ts";

/** Fields of `struct Params` in params.wgsl. */
const params = {
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
  v_first: "u32",
  v_stride: "u32",
  y_first: "u32",
} as const;
export type AttentionParams = Record<keyof typeof params, number>;

const preludes = [new URL("./preludes/params.wgsl", import.meta.url)];
const stripPreludes = [...preludes, new URL("./preludes/strips.wgsl", import.meta.url)];
const bindings = { q: read("f32"), k: read("f32"), v: read("f32"), mask: optionalRead("u32"), y: readWrite("f32") };

/** One invocation a query, heads of any width. */
export const attentionQuery = defineKernel({
  name: "attention.query",
  source: new URL("./attention_query.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  workgroups: ({ queries, heads, head_dim }) => [Math.ceil(queries / 32), heads, Math.ceil(head_dim / 64)],
});

/** Tiles in workgroup memory: for GPUs. */
export const attentionTile = defineKernel({
  name: "attention.tile",
  source: new URL("./attention_tile.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  workgroups: ({ queries, heads }) => [Math.ceil(queries / 32), heads],
});

/** Scores and weights in registers, each value loaded by one lane: for lavapipe with subgroups of eight lanes. */
export const attentionWide = defineKernel({
  name: "attention.wide",
  source: new URL("./attention_wide.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  features: ["subgroups"],
  subgroupLanes: 8,
  workgroups: ({ queries, heads, head_dim }) => [Math.ceil(queries / 32), heads, Math.ceil(head_dim / 64)],
});

export const stripsScores = defineKernel({
  name: "attention.strips_scores",
  source: new URL("./strips/attention_strips_scores.wgsl", import.meta.url),
  preludes: stripPreludes,
  bindings: { q: read("f32"), k: read("f32"), scores: readWrite("f32") },
  params,
  workgroups: ({ keys, queries, heads }) => [Math.ceil(keys / 64), Math.ceil(queries / 8), heads],
});

export const stripsSoftmax = defineKernel({
  name: "attention.strips_softmax",
  source: new URL("./strips/attention_strips_softmax.wgsl", import.meta.url),
  preludes: stripPreludes,
  bindings: { mask: optionalRead("u32"), scores: readWrite("f32") },
  params,
  workgroups: ({ queries, heads }) => [Math.ceil((queries * heads) / 8)],
});

export const stripsValues = defineKernel({
  name: "attention.strips_values",
  source: new URL("./strips/attention_strips_values.wgsl", import.meta.url),
  preludes: stripPreludes,
  bindings: { weights: read("f32"), v: read("f32"), y: readWrite("f32") },
  params,
  workgroups: ({ head_dim, queries, heads }) => [Math.ceil(head_dim / 64), Math.ceil(queries / 8), heads],
});

/** Returns the weights with which attention sums the values. */
export const attentionWeightsKernel = defineKernel({
  name: "attention.weights",
  source: new URL("./attention_weights.wgsl", import.meta.url),
  preludes,
  bindings: { q: read("f32"), k: read("f32"), mask: optionalRead("u32"), y: readWrite("f32") },
  params,
  workgroups: ({ queries, heads }) => [Math.ceil(queries / 32), heads],
});

export const kvAppendKernel = defineKernel({
  name: "attention.kv_append",
  source: new URL("./attention_kv_append.wgsl", import.meta.url),
  bindings: { qkv: read("f32"), k_cache: readWrite("f32"), v_cache: readWrite("f32") },
  params: { rows: "u32", width: "u32", first: "u32", qkv_row: "u32" },
  workgroups: ({ rows, width }) => [Math.ceil(width / 32), rows],
});

type Width = Pick<Heads, "headDim">;

/** Heads of a multiple of four values, at most `widest`. */
const headsOfFour =
  (widest = Infinity) =>
  ({ headDim }: Width): Lack | undefined =>
    headDim % 4 === 0 && headDim <= widest
      ? undefined
      : {
          needs: `heads of a multiple of four values${widest < Infinity ? `, at most ${widest}` : ""}`,
          actual: headDim,
        };

/** Attention of many queries: the ladder, the plainest first. */
export const attentionVersions = {
  query: { kernels: [attentionQuery], lacks: nothing },
  strips: { kernels: [stripsScores, stripsSoftmax, stripsValues], lacks: headsOfFour() },
  wide: { kernels: [attentionWide], lacks: headsOfFour() },
  tile: { kernels: [attentionTile], lacks: headsOfFour(64) },
} as const satisfies Record<string, Version<Width>>;
export type AttentionVersion = keyof typeof attentionVersions;

const decodeParams = { rows: "u32", heads: "u32", head_dim: "u32", capacity: "u32", scale: "f32" } as const;
const decodeInputs = { qkv: read("f32"), state: read("u32"), k_cache: readWrite("f32"), v_cache: readWrite("f32") };

/** A decode kernel that needs no scratch. */
export const decodeInPlace = { bindings: { ...decodeInputs, y: readWrite("f32") }, params: decodeParams } as const;
/** A decode kernel that leaves its result in parts. */
export const decodeInParts = { bindings: { ...decodeInputs, parts: readWrite("f32") }, params: decodeParams } as const;

/** 64 lanes a head, scores in storage: heads of any width, caches of any capacity. */
export const decodeLanes = defineKernel({
  name: "attention_decode.lanes",
  source: new URL("./decode/attention_decode_lanes.wgsl", import.meta.url),
  bindings: { ...decodeInputs, scores: readWrite("f32"), y: readWrite("f32") },
  params: decodeParams,
  workgroups: ({ rows, heads }) => [heads, rows],
});

/** Eight lanes a head, four keys a lane: for software adapters. */
export const decodeFourKeys = defineKernel({
  ...decodeInPlace,
  name: "attention_decode.four_keys",
  source: new URL("./decode/attention_decode_four_keys.wgsl", import.meta.url),
  workgroups: ({ rows, heads }) => [heads, rows],
});

/** One subgroup a head, which walks over the keys: for lavapipe with subgroups of eight lanes. */
export const decodeOnline = defineKernel({
  ...decodeInPlace,
  name: "attention_decode.online",
  source: new URL("./decode/attention_decode_online.wgsl", import.meta.url),
  features: ["subgroups"],
  subgroupLanes: 8,
  workgroups: ({ rows, heads }) => [heads, rows],
});

/** Keys of a chunk, as in attention_decode_chunks.wgsl and input_attended_split.wgsl. */
const chunkKeys = 128;
/** Chunks of a cache. */
export const chunksOf = (capacity: number): number => Math.ceil(capacity / chunkKeys);

/** 256 lanes for each head and chunk of 128 keys: for GPUs. The product that follows merges the parts. */
export const decodeChunks = defineKernel({
  ...decodeInParts,
  name: "attention_decode.chunks",
  source: new URL("./decode/attention_decode_chunks.wgsl", import.meta.url),
  preludes: [new URL("./preludes/lane_reduce.wgsl", import.meta.url)],
  workgroups: ({ rows, heads, capacity }) => [chunksOf(capacity), heads, rows],
});

/** What a decode version does with scratch memory: nothing, or keep scores there, or leave parts for the next product. */
export interface DecodeVersion<
  Scratch extends "none" | "scores" | "parts" = "none" | "scores" | "parts",
  K extends AnyKernel = AnyKernel,
> extends Version<Heads, readonly [K]> {
  readonly scratch: Scratch;
}

/** Positions whose scores fit in workgroup memory: the size of `weights` in attention_decode_four_keys.wgsl. */
const mostPositions = 1024;
/** Pairs of a head and a chunk for which input_attended_split.wgsl has room. */
const mostParts = 512;

/** Scores in workgroup memory, heads of at most `widest` values. */
export const scoresInWorkgroup =
  (widest = Infinity) =>
  ({ headDim, capacity }: Heads): Lack | undefined => {
    const needs = `at most ${mostPositions} positions`;
    return headsOfFour(widest)({ headDim }) ?? (capacity > mostPositions ? { needs, actual: capacity } : undefined);
  };

/** What a version that leaves parts lacks. */
export function lacksForChunks({ heads, headDim, capacity }: Heads): Lack | undefined {
  const parts = heads * chunksOf(capacity);
  const needs = `at most ${mostParts} pairs of a head and a chunk of ${chunkKeys} keys`;
  return headsOfFour(64)({ headDim }) ?? (parts > mostParts ? { needs, actual: parts } : undefined);
}

/** Attention of one new token over a cache: the ladder, the plainest first. */
export const attentionDecodeVersions = {
  lanes: { kernels: [decodeLanes], scratch: "scores", lacks: nothing },
  four_keys: { kernels: [decodeFourKeys], scratch: "none", lacks: scoresInWorkgroup() },
  online: { kernels: [decodeOnline], scratch: "none", lacks: headsOfFour(64) },
  chunks: { kernels: [decodeChunks], scratch: "parts", lacks: lacksForChunks },
} as const satisfies Record<string, DecodeVersion>;
export type AttentionDecodeVersion = keyof typeof attentionDecodeVersions;
