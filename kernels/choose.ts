import { EngineError } from "../engine/errors.ts";
import type { Device } from "../engine/device/device.ts";
import type { MatrixFormat } from "../engine/dtypes.ts";
import type { Heads } from "./attention/shape.ts";
import {
  attentionDecodeVersions,
  attentionVersions,
  type AttentionDecodeVersion,
  type AttentionVersion,
} from "./attention/versions.ts";
import { conv1dVersions, type Conv1dShape, type Conv1dVersion } from "./conv1d/versions.ts";
import { layernormVersions, type LayernormVersion } from "./layernorm/versions.ts";
import type { LstmVersion } from "./lstm/versions.ts";
import { matmulVersions, normedVersions, type NormedVersion, type PlainVersion } from "./matmul/versions.ts";
import type { DecodeBlocksVersion } from "./decode_blocks/versions.ts";
import { can, requireVersion } from "./version.ts";

/**
 * The one place that chooses among the versions of an op, by fixed rules. Software adapters run a barrier as a switch of
 * every lane, so they get the versions without barriers; GPUs get those that split a reduction over lanes. `BARK_KERNELS`
 * and `openGpu({ versions })` force a version by name.
 */

/** Up to this many rows a matrix product is bound by reading the weights, and a GEMV wins. */
const gemvRows = 4;

/** The ops whose versions can be forced by name, and these names. */
const forceable = {
  /** Matrix products of up to four rows. */
  gemv: ["gemv_split", "gemv", "gemv_shuffle", "gemv_broadcast", "gemv_rows", "plain"],
  /** Matrix products of more rows. */
  gemm: ["gemm_tiled", "gemm_tiled_flat", "gemm", "gemm_broadcast", "gemm_wide", "plain"],
  /** Attention of one new token over a cache. */
  attention_decode: ["chunks", "online", "four_keys", "lanes"],
  /** All blocks of one new token in one dispatch; not forced, each op is dispatched by itself. */
  decode_blocks: ["resident"],
} as const satisfies Record<string, readonly (PlainVersion | AttentionDecodeVersion | DecodeBlocksVersion)[]>;
type ForceableOp = keyof typeof forceable;
type VersionOf<Op extends ForceableOp> = (typeof forceable)[Op][number];

/** @throws EngineError `usage` if a forced op or version does not exist. */
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

/** The forced version of an op; {@link checkVersions} has checked its name. */
function forced<Op extends ForceableOp>(gpu: Device, op: Op): VersionOf<Op> | undefined {
  return gpu.versions.get(op) as VersionOf<Op> | undefined;
}

export function chooseMatmul(gpu: Device, rows: number, inner: number, columns: number): PlainVersion {
  const version = rows <= gemvRows ? chooseGemv(gpu, rows, columns) : chooseGemm(gpu, rows, columns);
  // `plain` alone takes inner widths that are no multiple of four, which no checkpoint of Bark has.
  return matmulVersions[version].lacks({ inner }) === undefined ? version : "plain";
}

/**
 * From this many columns on, a row by itself is faster without shuffles on SwiftShader under Node's Dawn: 0.56 to 0.9 of the
 * time at bark-small's shapes, 1.15 for 192 and 384 columns, 1.7 behind a layer norm. In Chromium shuffles are always ahead.
 */
const wideColumns = 512;

function chooseGemv(gpu: Device, rows: number, columns: number): VersionOf<"gemv"> {
  const version = forced(gpu, "gemv");
  if (version !== undefined) return version;
  if (!gpu.isSoftware) return "gemv_split";
  if (rows === 1 && columns >= wideColumns && /swiftshader/i.test(gpu.adapterName)) return "gemv";
  if (gpu.features.has("subgroups")) return rows > 1 ? "gemv_broadcast" : "gemv_shuffle";
  // Two rows by themselves are as fast as half of a tile of four.
  return rows > 2 ? "gemv_rows" : "gemv";
}

/**
 * Up to this many tiles of 64 x 64, tiles of half the rows are faster, because more of a large GPU works: on an H100 their
 * time is 0.68 to 0.86 of it at 48 to 192 tiles, 0.98 at 256, 1.1 at 576 (bench kernels matmul, 256 and 1024 rows).
 */
const fewTiles = 256;

/** Up to this many rows, the tile of gemm_broadcast, half of the tile of gemm_wide would be padding. */
const broadcastRows = 16;

function chooseGemm(gpu: Device, rows: number, columns: number): VersionOf<"gemm"> {
  const version = forced(gpu, "gemm");
  if (version !== undefined) return version;
  if (!gpu.isSoftware) {
    const tiles = Math.ceil(rows / 64) * Math.ceil(columns / 64);
    return tiles <= fewTiles ? "gemm_tiled_flat" : "gemm_tiled";
  }
  if (!gpu.features.has("subgroups")) return "gemm";
  const isWide = rows > broadcastRows && gpu.supports(matmulVersions.gemm_wide.kernels[0]);
  return isWide ? "gemm_wide" : "gemm_broadcast";
}

/** The same version with a layer norm in front, if it has one for rows of this width. */
export function chooseNormedMatmul(gpu: Device, rows: number, inner: number): NormedVersion | undefined {
  // Only products of few rows have one, and which version does not depend on their columns: 0 stands for any.
  const name = chooseMatmul(gpu, rows, inner, 0);
  if (!Object.hasOwn(normedVersions, name)) return undefined;
  const normed = name as NormedVersion;
  return can(gpu, normedVersions[normed], { inner }) ? normed : undefined;
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
 * How weights of a format are stored. SwiftShader runs at the speed of arithmetic, and unpacking halves or integers adds
 * arithmetic (1.3 times the time of f32 in a decode). So there weights are rounded to the format and stored as f32: the
 * same results in the time, and the memory, of f32.
 */
export function chooseStorage(gpu: Device, format: MatrixFormat): MatrixFormat {
  return isSwiftShader(gpu) ? "f32" : format;
}

/** Chromium names only the vendor, and SwiftShader is its only software adapter. */
function isSwiftShader(gpu: Device): boolean {
  return gpu.isSoftware && /swiftshader|google/i.test(gpu.adapterName);
}

/** `query` takes heads of any width; every checkpoint of Bark has heads for the others. */
export function chooseAttention(gpu: Device, headDim: number): AttentionVersion {
  const order = gpu.isSoftware ? (["wide", "strips"] as const) : (["tile"] as const);
  return order.find((name) => can(gpu, attentionVersions[name], { headDim })) ?? "query";
}

/** @throws EngineError `usage` if the forced version cannot do the heads. */
export function chooseAttentionDecode(gpu: Device, heads: Heads): AttentionDecodeVersion {
  const version = forced(gpu, "attention_decode");
  if (version !== undefined) {
    requireVersion(gpu, attentionDecodeVersions[version], heads);
    return version;
  }
  const order = gpu.isSoftware ? (["online", "four_keys"] as const) : (["chunks"] as const);
  return order.find((name) => can(gpu, attentionDecodeVersions[name], heads)) ?? "lanes";
}

/** The version of all blocks of one token in one dispatch, if it is forced: no GPU has shown it faster yet. */
export function chooseDecodeBlocks(gpu: Device): DecodeBlocksVersion | undefined {
  return forced(gpu, "decode_blocks");
}

export function chooseLayernorm(gpu: Device, width: number): LayernormVersion {
  return gpu.isSoftware && can(gpu, layernormVersions.thread, { width }) ? "thread" : "workgroup";
}

/**
 * Lanes that share a row of logits when an id is picked. A GPU with few rows waits for loads and logarithms, so there a row
 * gets as many lanes as any adapter has; many rows fill a GPU by themselves, and fewer lanes have less to merge.
 */
export function chooseSampleLanes(gpu: Device, rows: number): 64 | 256 {
  return gpu.isSoftware || rows >= 64 ? 64 : 256;
}

/** Below this many output channels the large tiles would compute mostly padding. */
const fewChannels = 8;

/** lavapipe hands loaded values from lane to lane cheaply, so `wide` wins there; SwiftShader does not, so `vec4` does. */
export function chooseConv1d(gpu: Device, shape: Conv1dShape): Conv1dVersion {
  if (!gpu.isSoftware) return "tile";
  if (can(gpu, conv1dVersions.single, shape)) return "single";
  if (shape.outChannels < fewChannels) return "tile";
  const name = isSwiftShader(gpu) ? "vec4" : "wide";
  return can(gpu, conv1dVersions[name], shape) ? name : "tile";
}

export function chooseLstm(gpu: Device): LstmVersion {
  return gpu.isSoftware ? "thread" : "split";
}
