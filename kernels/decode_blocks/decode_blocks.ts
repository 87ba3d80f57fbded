import { EngineError } from "../../engine/errors.ts";
import type { MatrixFormat } from "../../engine/dtypes.ts";
import type { Program } from "../../engine/program/program.ts";
import type { TensorMaker } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { KvCache } from "../attention/shape.ts";
import type { LayerNorm } from "../layernorm/layernorm.ts";
import type { Linear } from "../matmul/linear.ts";
import { requireVersion } from "../version.ts";
import { decodeBlocksVersions, resident, type DecodeBlocksShape } from "./versions.ts";

/** One transformer block: pre-norm attention and a GELU MLP of width 4 H. */
export interface Block {
  readonly norm1: LayerNorm;
  /** [H] -> [3H]: Q, K, V in this order. */
  readonly qkv: Linear;
  readonly attentionOut: Linear;
  readonly norm2: LayerNorm;
  readonly mlpIn: Linear;
  readonly mlpOut: Linear;
}

/** All blocks' weights in two tensors. */
export interface PackedBlocks {
  /** Of each layer q k v [H, 3H], attention out [H, H], MLP in [H, 4H] and MLP out [4H, H], in panels (engine/formats/matrix_*.wgsl). */
  readonly weight: Tensor<"f32"> | Tensor<"f16"> | Tensor<"q8">;
  /** Of each layer both norms, weight and bias, then the biases of the four products; zeros for what a model lacks. [layers, 13 H] */
  readonly vectors: Tensor<"f32">;
  readonly layers: number;
  readonly width: number;
}

/** What a step needs beside weights, caches and x. */
export interface ResidentScratch {
  /** [8 H] */
  readonly work: Tensor<"f32">;
  /** How many workgroups have arrived, and 1 once one has given up. [2] */
  readonly sync: Tensor<"u32">;
}

const lanes = { software: 64, gpu: 256 };
/**
 * Looks at a meeting before a workgroup gives up: seconds on either kind of adapter, for a busy machine may keep one of a software
 * adapter's threads waiting that long.
 */
const patience = { software: 2e8, gpu: 2e6 };

/**
 * Records copies of the weights of blocks into one tensor: as much memory again as they take.
 * @throws EngineError `limit` if they do not fit one binding.
 */
export function packBlocks(scope: TensorMaker, program: Program, blocks: readonly Block[]): PackedBlocks {
  const width = blocks[0].norm1.weight.size;
  const matrices = blocks.flatMap(({ qkv, attentionOut, mlpIn, mlpOut }) => [qkv, attentionOut, mlpIn, mlpOut]);
  const dtype: MatrixFormat = matrices[0].weight.dtype;
  const bytes = matrices.reduce((sum, { weight }) => sum + weight.buffer.size, 0);
  const values = matrices.reduce((sum, { weight }) => sum + weight.size, 0);
  const most = scope.gpu.limits.maxStorageBufferBindingSize;
  if (bytes > most)
    throw new EngineError("limit", "the blocks' weights do not fit one binding", {
      where: resident.name,
      expected: `at most ${most} bytes (maxStorageBufferBindingSize)`,
      actual: bytes,
    });
  const weight = scope.tensor(dtype, [values], "packed blocks");
  const vectors = scope.tensor("f32", [blocks.length, 13 * width], "packed vectors");
  let at = 0;
  for (const matrix of matrices) {
    const count = matrix.weight.buffer.size / 4;
    program.copy(matrix.weight, 0, weight, at, count);
    at += count;
  }
  at = 0;
  for (const { norm1, qkv, attentionOut, norm2, mlpIn, mlpOut } of blocks) {
    const norms = [norm1.weight, norm1.bias, norm2.weight, norm2.bias].map((tensor) => ({ tensor, size: width }));
    const biases = [qkv, attentionOut, mlpIn, mlpOut].map(({ bias, columns }) => ({ tensor: bias, size: columns }));
    for (const { tensor, size } of [...norms, ...biases]) {
      // What a model lacks stays zero.
      if (tensor !== undefined) program.copy(tensor, 0, vectors, at, size);
      at += size;
    }
  }
  return { weight, vectors, layers: blocks.length, width };
}

export function residentScratch(maker: TensorMaker, width: number): ResidentScratch {
  return {
    work: maker.tensor("f32", [8 * width], "resident scratch"),
    sync: maker.tensor("u32", [2], "resident sync"),
  };
}

/**
 * Records all blocks of one new token over their caches, after appending its K and V at the position that the decode state holds.
 * x: [1, H], in place; cache: K and V of all layers, each [layers, capacity, H] f32; state: [1, 4] u32 (kernels/decode_state.ts).
 * @param groups workgroups that are known to run at once (resident.ts).
 * @throws EngineError `usage` for a shape that the version cannot do.
 */
export function decodeBlocks(
  program: Program,
  { weight, vectors, layers }: PackedBlocks,
  tensors: { x: Tensor<"f32">; state: Tensor<"u32">; cache: KvCache; scratch: ResidentScratch },
  shape: DecodeBlocksShape & { groups: number; spins?: number },
): void {
  const { gpu } = program;
  const kind = gpu.isSoftware ? "software" : "gpu";
  const { heads, headDim, capacity, groups, spins = patience[kind] } = shape;
  requireVersion(gpu, decodeBlocksVersions.resident, shape);
  const { x, state, cache, scratch } = tensors;
  program.dispatch(
    resident,
    { weight, vectors, state, k_cache: cache.k, v_cache: cache.v, x, ...scratch },
    { layers, heads, groups, spins, scale: 1 / Math.sqrt(headDim) },
    { lanes: lanes[kind], quads: (heads * headDim) / 4, capacity },
  );
}

/** @throws EngineError `internal` if workgroups did not meet: what was computed is worth nothing. */
export async function requireMet({ sync }: ResidentScratch): Promise<void> {
  const [, gaveUp] = await sync.read();
  if (gaveUp === 0) return;
  throw new EngineError("internal", "workgroups did not meet: the adapter no longer runs them at once", {
    where: resident.name,
    fix: "leave out decode_blocks=resident",
  });
}
