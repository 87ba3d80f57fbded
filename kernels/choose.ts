import type { Gpu } from "../engine/gpu.ts";
import type { AttentionVersion } from "./attention/attention.ts";
import type { AttentionDecodeVersion } from "./attention/decode.ts";

/**
 * The one place that chooses among the versions of an op. Software adapters run a barrier as a switch of every lane, so
 * they get the versions without barriers; GPUs get those that split a reduction over lanes.
 */

/** Up to this many rows a matrix product is bound by reading the weights, and a GEMV wins. */
const gemvRows = 4;

export function chooseMatmul(gpu: Gpu, rows: number, inner: number): "gemm" | "gemm_wide" | "gemv" | "gemv_split" {
  if (rows > gemvRows) return inner % 4 === 0 ? "gemm_wide" : "gemm";
  return gpu.isSoftware ? "gemv" : "gemv_split";
}

/** Heads of a width that is no multiple of four, which no checkpoint of Bark has, get the plain version. */
export function chooseAttention(gpu: Gpu, headDim: number): AttentionVersion {
  if (headDim % 4 !== 0) return "query";
  if (gpu.isSoftware) return "strips";
  return headDim <= 64 ? "tile" : "query";
}

export function chooseAttentionDecode(gpu: Gpu, headDim: number, capacity: number): AttentionDecodeVersion {
  return gpu.isSoftware && headDim % 4 === 0 && capacity <= 1024 ? "quads" : "lanes";
}

export function chooseLayernorm(gpu: Gpu): "workgroup" | "thread" {
  return gpu.isSoftware ? "thread" : "workgroup";
}

export function chooseLstm(gpu: Gpu): "thread" | "split" {
  return gpu.isSoftware ? "thread" : "split";
}
