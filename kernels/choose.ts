import type { Gpu } from "../engine/gpu.ts";

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

export function chooseLayernorm(gpu: Gpu): "workgroup" | "thread" {
  return gpu.isSoftware ? "thread" : "workgroup";
}

export function chooseLstm(gpu: Gpu): "thread" | "split" {
  return gpu.isSoftware ? "thread" : "split";
}
