import { defineKernel, optionalRead, read, readWrite } from "../../engine/kernel.ts";
import type { Program } from "../../engine/program.ts";
import type { Tensor } from "../../engine/tensor.ts";

export const attentionKernel = defineKernel({
  name: "attention",
  source: new URL("./attention.wgsl", import.meta.url),
  bindings: { q: read("f32"), k: read("f32"), v: read("f32"), mask: optionalRead("u32"), y: readWrite("f32") },
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
    v_first: "u32",
    v_stride: "u32",
  },
  workgroups: ({ queries, heads, head_dim }) => [Math.ceil(queries / 32), heads, Math.ceil(head_dim / 64)],
});

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
  params: { rows: "u32", heads: "u32", head_dim: "u32", capacity: "u32", scale: "f32" },
  workgroups: ({ rows, heads }) => [heads, rows],
});

export const kvAppendKernel = defineKernel({
  name: "attention.kv_append",
  source: new URL("./kv_append.wgsl", import.meta.url),
  bindings: { qkv: read("f32"), k_cache: readWrite("f32"), v_cache: readWrite("f32") },
  params: { rows: "u32", width: "u32", first: "u32" },
  workgroups: ({ rows, width }) => [Math.ceil(width / 32), rows],
});

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
  /** [keys] u32, 0 = masked. */
  readonly mask?: Tensor<"u32">;
}

/**
 * Records scaled dot-product attention (Vaswani et al. 2017), scale 1/sqrt(head_dim) applied after the product.
 * y: [queries, heads * headDim] f32.
 */
export function attention(
  program: Program,
  q: Rows,
  k: Rows,
  v: Rows,
  y: Tensor<"f32">,
  { queries, keys, heads, headDim, past = 0, causal, mask }: AttentionShape,
): void {
  program.dispatch(
    attentionKernel,
    { q: q.tensor, k: k.tensor, v: v.tensor, mask, y },
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
      v_first: v.first,
      v_stride: v.stride,
    },
  );
}

/** K and V of one layer. Each: [rows, capacity, width] f32. */
export interface KvCache {
  readonly k: Tensor<"f32">;
  readonly v: Tensor<"f32">;
}

/**
 * Records the attention of one new token a row over its cache, after appending the token's K and V at the position that
 * the decode state holds. qkv: [rows, 3 width]; state: [rows, 4] u32; scores: [rows, heads, capacity]; y: [rows, width].
 */
export function attentionDecode(
  program: Program,
  tensors: { qkv: Tensor<"f32">; state: Tensor<"u32">; cache: KvCache; scores: Tensor<"f32">; y: Tensor<"f32"> },
  { rows, heads, headDim, capacity }: { rows: number; heads: number; headDim: number; capacity: number },
): void {
  const { qkv, state, cache, scores, y } = tensors;
  program.dispatch(
    attentionDecodeKernel,
    { qkv, state, k_cache: cache.k, v_cache: cache.v, scores, y },
    { rows, heads, head_dim: headDim, capacity, scale: 1 / Math.sqrt(headDim) },
  );
}

/** Records the copy of K and V of `rows` positions from qkv [rows, 3 width] to the cache, from element `first` on. */
export function kvAppend(
  program: Program,
  qkv: Tensor<"f32">,
  cache: KvCache,
  { rows, width, first }: { rows: number; width: number; first: number },
): void {
  program.dispatch(kvAppendKernel, { qkv, k_cache: cache.k, v_cache: cache.v }, { rows, width, first });
}
