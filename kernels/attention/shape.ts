import type { Tensor } from "../../engine/tensor.ts";

/** Rows of vectors inside a tensor: row i begins at element `first + i * stride`. */
export interface Rows {
  readonly tensor: Tensor<"f32">;
  readonly first: number;
  readonly stride: number;
}

/** Attention of many queries. */
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
}

/** Heads of one new token over a cache. */
export interface Heads {
  readonly heads: number;
  readonly headDim: number;
  /** Positions of the cache. */
  readonly capacity: number;
}

/** K and V of one layer. Each: [rows, capacity, width] f32, from element `first` on (default 0). */
export interface KvCache {
  readonly k: Tensor<"f32">;
  readonly v: Tensor<"f32">;
  readonly first?: number;
}

/** Attention left in parts, one for each chunk of the cache: `matmul` takes it as its input and merges the parts. */
export interface Attended {
  /** [rows, chunks, heads, headDim/4 + 1] of four values, in the scratch that `attentionDecode` was given. */
  readonly parts: Tensor<"f32">;
  /** The decode state, whose positions say how many chunks are in use. */
  readonly state: Tensor<"u32">;
  readonly headDim: number;
  readonly chunks: number;
}
