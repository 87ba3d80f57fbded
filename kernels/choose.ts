import type { Gpu } from "../engine/gpu.ts";
import type { MatrixFormat } from "../engine/shader_source.ts";
import type { AttentionVersion } from "./attention/attention.ts";
import { decodes, type AttentionDecodeVersion } from "./attention/decode.ts";
import type { NormedVersion, PlainVersion } from "./matmul/matmul.ts";

/**
 * The one place that chooses among the versions of an op. Software adapters run a barrier as a switch of every lane, so
 * they get the versions without barriers; GPUs get those that split a reduction over lanes.
 */

/** Up to this many rows a matrix product is bound by reading the weights, and a GEMV wins. */
const gemvRows = 4;

export function chooseMatmul(gpu: Gpu, rows: number, inner: number): PlainVersion {
  // No checkpoint of Bark has such a width.
  if (inner % 4 !== 0) return "plain";
  if (!gpu.isSoftware) return rows <= gemvRows ? "gemv_split" : "gemm_tiled";
  if (rows === 1) return "gemv";
  if (gpu.features.has("subgroups")) return rows <= gemvRows ? "gemv_broadcast" : "gemm_broadcast";
  return rows <= gemvRows ? "gemv" : "gemm";
}

/**
 * A version with a layer norm in front, if there is one for a product of weights stored as `storage`. What follows a
 * barrier takes lavapipe twice as long for f32, whose loads are the most, so there f32 gets the version without.
 */
export function chooseNormedMatmul(
  gpu: Gpu,
  rows: number,
  inner: number,
  storage: MatrixFormat,
): NormedVersion | undefined {
  const version = chooseMatmul(gpu, rows, inner);
  if (version !== "gemv") return version === "gemv_split" ? version : undefined;
  return storage === "f32" && gpu.features.has("subgroups") && !isSwiftShader(gpu) ? "gemv_lanes" : "gemv";
}

/**
 * How weights of a format are stored. SwiftShader runs at the speed of arithmetic, which unpacking halves or integers
 * adds to (1.3 times the time of f32 in a decode), so there they are rounded to the format and stored as f32: the same
 * results in the time, and the memory, of f32.
 */
export function chooseStorage(gpu: Gpu, format: MatrixFormat): MatrixFormat {
  return isSwiftShader(gpu) ? "f32" : format;
}

/** Chromium tells only the vendor and, of its software adapters, has this one alone. */
function isSwiftShader(gpu: Gpu): boolean {
  return gpu.isSoftware && /swiftshader|google/i.test(gpu.adapterName);
}

/** Heads of a width that is no multiple of four, which no checkpoint of Bark has, get the plain version. */
export function chooseAttention(gpu: Gpu, headDim: number): AttentionVersion {
  if (headDim % 4 !== 0) return "query";
  if (gpu.isSoftware) return "strips";
  return headDim <= 64 ? "tile" : "query";
}

export function chooseAttentionDecode(gpu: Gpu, headDim: number, capacity: number): AttentionDecodeVersion {
  const order = gpu.isSoftware ? (["quads"] as const) : (["subgroups", "split"] as const);
  return order.find((version) => decodes(gpu, version, headDim, capacity)) ?? "lanes";
}

export function chooseLayernorm(gpu: Gpu): "workgroup" | "thread" {
  return gpu.isSoftware ? "thread" : "workgroup";
}

/** Below eight output channels a broadcast would hand out mostly padding. */
export function chooseConv1d(gpu: Gpu, inner: number, columns: number): "tile" | "broadcast" {
  return gpu.isSoftware && gpu.features.has("subgroups") && inner % 4 === 0 && columns >= 8 ? "broadcast" : "tile";
}

export function chooseLstm(gpu: Gpu): "thread" | "split" {
  return gpu.isSoftware ? "thread" : "split";
}
