import type { Device } from "../../../engine/device/device.ts";
import type { AnyKernel } from "../../../engine/kernel.ts";
import type { Program } from "../../../engine/program/program.ts";
import type { TensorMaker } from "../../../engine/scope.ts";
import type { Tensor } from "../../../engine/tensor.ts";
import { chooseAttentionDecode } from "../../choose.ts";
import { requireVersion, versionOf } from "../../version.ts";
import type { Attended, Heads, KvCache } from "../shape.ts";
import {
  attentionDecodeVersions,
  chunksOf,
  kvAppendKernel,
  type AttentionDecodeVersion,
  type decodeChunks,
  type decodeFourKeys,
  type decodeLanes,
  type DecodeVersion,
} from "../versions.ts";

export type { Attended, KvCache } from "../shape.ts";

/** A version itself instead of its name: one of the table, a rung of the lab, or your own. */
export type OwnDecodeVersion =
  | DecodeVersion<"scores", typeof decodeLanes>
  | DecodeVersion<"none", typeof decodeFourKeys>
  | DecodeVersion<"parts", typeof decodeChunks>;

export interface DecodeShape extends Heads {
  readonly rows: number;
  /** Forces a version, for tests and benches. */
  readonly version?: AttentionDecodeVersion | OwnDecodeVersion;
}

/** The scratch memory of {@link attentionDecode}, whichever version runs: [rows, *]. */
export function decodeScratch(maker: TensorMaker, { rows, heads, headDim, capacity }: DecodeShape): Tensor<"f32"> {
  const [scores, parts] = [heads * capacity, heads * chunksOf(capacity) * (headDim + 4)];
  return maker.tensor("f32", [rows, Math.max(scores, parts)], "attention scratch");
}

/** The kernel of {@link attentionDecode}. */
export function decodeKernel(gpu: Device, heads: Heads): AnyKernel {
  return attentionDecodeVersions[chooseAttentionDecode(gpu, heads)].kernels[0];
}

/**
 * Records the attention of one new token a row over its cache, after appending the token's K and V at the position that
 * the decode state holds. qkv: [rows, 3 width]; state: [rows, 4] u32; scratch: {@link decodeScratch}; y: [rows, width].
 * @returns the parts that the version leaves for the product that follows; without them the result is in `y`.
 * @throws EngineError `usage` if the forced version cannot do this shape.
 */
export function attentionDecode(
  program: Program,
  tensors: { qkv: Tensor<"f32">; state: Tensor<"u32">; cache: KvCache; scratch: Tensor<"f32">; y: Tensor<"f32"> },
  shape: DecodeShape,
): Attended | undefined {
  const { qkv, state, cache, scratch, y } = tensors;
  const { rows, heads, headDim, capacity } = shape;
  const version = versionOf(attentionDecodeVersions, shape.version ?? chooseAttentionDecode(program.gpu, shape));
  requireVersion(program.gpu, version, shape);
  const values = { rows, heads, head_dim: headDim, capacity, scale: 1 / Math.sqrt(headDim) };
  const inputs = { qkv, state, k_cache: cache.k, v_cache: cache.v };
  if (version.scratch === "parts") {
    program.dispatch(version.kernels[0], { ...inputs, parts: scratch }, values);
    return { parts: scratch, state, headDim, chunks: chunksOf(capacity) };
  }
  if (version.scratch === "scores") program.dispatch(version.kernels[0], { ...inputs, scores: scratch, y }, values);
  else program.dispatch(version.kernels[0], { ...inputs, y }, values);
  return undefined;
}

/** Records a copy of K and V into a cache: `rows` rows of qkv [*, 3 width], from row `qkvRow`, go to elements `first` on. */
export function kvAppend(
  program: Program,
  qkv: Tensor<"f32">,
  cache: KvCache,
  { rows, width, first, qkvRow = 0 }: { rows: number; width: number; first: number; qkvRow?: number },
): void {
  const tensors = { qkv, k_cache: cache.k, v_cache: cache.v };
  program.dispatch(kvAppendKernel, tensors, { rows, width, first, qkv_row: qkvRow });
}
