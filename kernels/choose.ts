import { EngineError } from "../engine/errors.ts";
import type { Device } from "../engine/device.ts";
import type { MatrixFormat } from "../engine/dtypes.ts";
import { attentionWideKernel, type AttentionVersion } from "./attention/attention.ts";
import { decodes, type AttentionDecodeVersion, type DecodeShape } from "./attention/decode.ts";
import {
  conv1dBroadcast,
  conv1dWide,
  isSingle,
  type Conv1d,
  type Conv1dVersion,
  type StoredRange,
} from "./conv1d/conv1d.ts";
import { gemmWide, normedVersions, type NormedVersion, type PlainVersion } from "./matmul/matmul.ts";

/**
 * The one place that chooses among the versions of an op. Software adapters run a barrier as a switch of every lane, so
 * they get the versions without barriers; GPUs get those that split a reduction over lanes. Which of these is the
 * fastest differs from GPU to GPU: tune.ts may time them when a model is loaded, and any can be forced by name.
 */

/** Up to this many rows a matrix product is bound by reading the weights, and a GEMV wins. */
const gemvRows = 4;

/** Ops whose versions can be forced by name (`openGpu({ versions })`, `BARK_KERNELS`), and what these names are. */
const forceable = {
  /** Matrix products of up to four rows. */
  gemv: ["gemv_split", "gemv", "gemv_lanes", "gemv_broadcast", "gemv_rows", "plain"],
  /** Matrix products of more rows. */
  gemm: ["gemm_tiled", "gemm_tiled_flat", "gemm", "gemm_broadcast", "gemm_wide", "plain"],
  /** Attention of one new token over a cache. */
  attention_decode: ["chunks_subgroups", "chunks", "subgroups", "split", "online", "quads", "lanes"],
} as const;
export type ForceableOp = keyof typeof forceable;
type VersionOf<Op extends ForceableOp> = (typeof forceable)[Op][number];

/** @throws EngineError `usage` if a version was forced that there is not. */
export function checkVersions(gpu: Device): void {
  for (const [op, version] of gpu.versions) {
    if (!Object.hasOwn(forceable, op)) throw unknown("versions", Object.keys(forceable), op);
    const names: readonly string[] = forceable[op as ForceableOp];
    if (!names.includes(version)) throw unknown(`versions.${op}`, names, version);
  }
}

function unknown(where: string, names: readonly string[], actual: string): EngineError {
  return new EngineError("usage", "no such version of a kernel", { where, expected: names.join(", "), actual });
}

/** The version that was forced or tuned; {@link checkVersions} has seen its name. */
function decided<Op extends ForceableOp>(gpu: Device, op: Op): VersionOf<Op> | undefined {
  return gpu.versions.get(op) as VersionOf<Op> | undefined;
}

/** The versions that a GPU may be the fastest with, first the one that it gets without a tune. */
export const tuned = {
  gemv: ["gemv_split", "gemv"],
  gemm: ["gemm_tiled", "gemm", "gemm_broadcast"],
  attention_decode: ["chunks_subgroups", "chunks", "subgroups", "split"],
} as const satisfies { [Op in ForceableOp]: readonly VersionOf<Op>[] };

export function chooseMatmul(gpu: Device, rows: number, inner: number, columns: number): PlainVersion {
  // No checkpoint of Bark has such a width.
  if (inner % 4 !== 0) return "plain";
  return rows <= gemvRows ? chooseGemv(gpu, rows) : chooseGemm(gpu, rows, columns);
}

function chooseGemv(gpu: Device, rows: number): VersionOf<"gemv"> {
  const version = decided(gpu, "gemv");
  if (version !== undefined) return version;
  if (!gpu.isSoftware) return tuned.gemv[0];
  if (gpu.features.has("subgroups")) return rows > 1 ? "gemv_broadcast" : "gemv_lanes";
  // Two rows by themselves are as fast as half of a tile of four.
  return rows > 2 ? "gemv_rows" : "gemv";
}

/**
 * Up to this many tiles of 64 x 64, tiles of half the rows are faster, for more of a large GPU works: on an H100 their time
 * is 0.68 to 0.86 of it at 48 to 192 tiles, 0.98 at 256, 1.1 at 576 (bench kernels matmul, 256 and 1024 rows).
 */
const fewTiles = 256;

/** Up to this many rows, the tile of gemm_broadcast, half of the one of gemm_wide would be padding. */
const broadcastRows = 16;

function chooseGemm(gpu: Device, rows: number, columns: number): VersionOf<"gemm"> {
  const version = decided(gpu, "gemm") ?? (gpu.isSoftware ? undefined : tuned.gemm[0]);
  if (version === "gemm_tiled") {
    const tiles = Math.ceil(rows / 64) * Math.ceil(columns / 64);
    return tiles <= fewTiles ? "gemm_tiled_flat" : "gemm_tiled";
  }
  if (version !== undefined) return version;
  if (!gpu.features.has("subgroups")) return "gemm";
  return rows > broadcastRows && gpu.supports(gemmWide) ? "gemm_wide" : "gemm_broadcast";
}

/** The same version with a layer norm in front, if it has one. */
export function chooseNormedMatmul(gpu: Device, rows: number, inner: number): NormedVersion | undefined {
  // Only products of few rows have one, and which version does not depend on their columns.
  const version = chooseMatmul(gpu, rows, inner, 0);
  return version in normedVersions ? (version as NormedVersion) : undefined;
}

/**
 * Groups of four columns of a workgroup of gemv_split, which splits k over the other lanes: the longer k, the more lanes
 * share it; many columns occupy a GPU as they are. Measured on an H100 (decode of bark-small, f16): for 3072 -> 768 the
 * time of 8, 4 and 2 groups is 2.0, 1.3 and 1, for 768 -> 2304 1.2, 1 and 1.1, for 768 -> 10048 1, 1.2 and 2.0.
 */
export function chooseSplit(inner: number, groups: number): number {
  if (inner > 1024) return 2;
  return groups > 2048 ? 8 : 4;
}

/**
 * How weights of a format are stored. SwiftShader runs at the speed of arithmetic, which unpacking halves or integers
 * adds to (1.3 times the time of f32 in a decode), so there they are rounded to the format and stored as f32: the same
 * results in the time, and the memory, of f32.
 */
export function chooseStorage(gpu: Device, format: MatrixFormat): MatrixFormat {
  return isSwiftShader(gpu) ? "f32" : format;
}

/** Chromium tells only the vendor and, of its software adapters, has this one alone. */
function isSwiftShader(gpu: Device): boolean {
  return gpu.isSoftware && /swiftshader|google/i.test(gpu.adapterName);
}

/** Heads of a width that is no multiple of four, which no checkpoint of Bark has, get the plain version. */
export function chooseAttention(gpu: Device, headDim: number): AttentionVersion {
  if (headDim % 4 !== 0) return "query";
  if (gpu.isSoftware) return gpu.supports(attentionWideKernel) ? "wide" : "strips";
  return headDim <= 64 ? "tile" : "query";
}

export function chooseAttentionDecode(
  gpu: Device,
  shape: Pick<DecodeShape, "heads" | "headDim" | "capacity">,
): AttentionDecodeVersion {
  const version = decided(gpu, "attention_decode");
  const order = [
    ...(version === undefined ? [] : [version]),
    ...(gpu.isSoftware ? (["online", "quads"] as const) : tuned.attention_decode),
  ];
  return order.find((version) => decodes(gpu, version, shape)) ?? "lanes";
}

export function chooseLayernorm(gpu: Device): "workgroup" | "thread" {
  return gpu.isSoftware ? "thread" : "workgroup";
}

/**
 * Lanes that share a row of logits when an id is picked. A GPU that has few rows waits for loads and logarithms, so there
 * a row gets as many as any adapter has; many rows fill it by themselves, and fewer lanes then have less to merge.
 */
export function chooseSampleLanes(gpu: Device, rows: number): 64 | 256 {
  return gpu.isSoftware || rows >= 64 ? 64 : 256;
}

/**
 * What hands loaded values from lane to lane wins on lavapipe: wide where vectors are of 256 bits, broadcast where they are
 * of 128. On SwiftShader, which has no cheap broadcast, the larger tile does. Below eight output channels all of them
 * would compute mostly padding.
 */
export function chooseConv1d(gpu: Device, conv: Conv1d, stored: Pick<StoredRange, "skip" | "size">): Conv1dVersion {
  if (!gpu.isSoftware) return "tile";
  if (isSingle(conv)) return "single";
  const { inChannels, outChannels } = conv;
  if (inChannels % 4 !== 0 || outChannels < 8) return "tile";
  if ([outChannels, stored.skip, stored.size].every((values) => values % 4 === 0)) {
    if (isSwiftShader(gpu)) return "quads";
    if (gpu.supports(conv1dWide)) return "wide";
  }
  return gpu.supports(conv1dBroadcast) ? "broadcast" : "tile";
}

export function chooseLstm(gpu: Device): "thread" | "split" {
  return gpu.isSoftware ? "thread" : "split";
}
