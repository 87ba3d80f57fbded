import type { Device } from "../../engine/device/device.ts";
import type { AnyKernel, Constants } from "../../engine/kernel.ts";
import type { Program } from "../../engine/program/program.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { Attended } from "../attention/shape.ts";
import { chooseMatmul, chooseNormedMatmul, chooseSplit } from "../choose.ts";
import type { LayerNorm } from "../layernorm/layernorm.ts";
import { requireVersion, versionOf } from "../version.ts";
import type { Linear } from "./linear.ts";
import {
  gemvSplitAttended,
  matmulVersions,
  normedVersions,
  type NormedVersion,
  type OwnMatmulVersion,
  type PlainVersion,
} from "./versions.ts";

/** Whether {@link matmul} can take a layer norm in front of a product of `rows` rows of `inner` values. */
export function fusesNorm(program: Program, rows: number, inner: number): boolean {
  return chooseNormedMatmul(program.gpu, rows, inner) !== undefined;
}

/**
 * The kernels, and their overrides, that a model's products of `rows` rows of `inner` values are made of.
 * @param attended the attention in front of some of them.
 */
export function matmulKernels(
  gpu: Device,
  rows: number,
  inner: number,
  attended: Pick<Attended, "headDim" | "chunks">,
): readonly (readonly [AnyKernel, Constants])[] {
  // Of few columns and of many: a GPU's tile depends on how many there are.
  const names = new Set([inner, 1 << 16].map((columns) => chooseMatmul(gpu, rows, inner, columns)));
  const kernels: AnyKernel[] = Array.from(names, (name) => matmulVersions[name].kernels[0]);
  const normed = chooseNormedMatmul(gpu, rows, inner);
  if (normed !== undefined) kernels.push(normedVersions[normed].kernels[0]);
  const pairs = kernels.map((kernel) => [kernel, {}] as const);
  return names.has("gemv_split") ? [...pairs, [gemvSplitAttended, attendedConstants(attended)]] : pairs;
}

function attendedConstants({ headDim, chunks }: Pick<Attended, "headDim" | "chunks">): {
  head_quads: number;
  chunks: number;
} {
  return { head_quads: headDim / 4, chunks };
}

export interface MatmulOptions {
  /** Rows of x to multiply; they become rows 0.. of y. Default: all. */
  rows?: number;
  /** The first of them in x. Default 0. */
  firstRow?: number;
  /** A layer normalisation of x in front, where {@link fusesNorm} allows it. */
  norm?: LayerNorm;
  gelu?: boolean;
  /** Attention left in parts: `x` holds the parts, and the product merges them first. One row or a few. */
  attended?: Attended | undefined;
  /** Add to y instead of overwriting it (a residual connection). */
  accumulate?: boolean;
  /** Compute only columns [start, end), widened to multiples of four; the others of y stay as they are. */
  columnRange?: readonly [start: number, end: number];
  /** Forces a version, for tests and benches. */
  version?: PlainVersion | NormedVersion | OwnMatmulVersion;
}

/**
 * Records y = x W (+ bias) for a {@link Linear} layer. x: [n, inner] f32; y: [rows, columns] f32.
 * @throws EngineError `usage` if the forced version cannot do this product.
 */
export function matmul(
  program: Program,
  x: Tensor<"f32">,
  linear: Linear,
  y: Tensor<"f32">,
  options: MatmulOptions = {},
): void {
  const { gpu } = program;
  const { inner, columns, weight, bias } = linear;
  const { norm, attended, firstRow = 0 } = options;
  const rows = options.rows ?? x.size / inner - firstRow;
  const [start, end] = options.columnRange ?? [0, columns];
  const firstGroup = Math.floor(start / 4);
  const groups = Math.ceil(end / 4) - firstGroup;
  const values = {
    rows,
    inner,
    columns,
    first_row: firstRow,
    first_group: firstGroup,
    groups,
    has_bias: bias === undefined ? 0 : 1,
    gelu: options.gelu ? 1 : 0,
    accumulate: options.accumulate ? 1 : 0,
    has_norm_bias: norm?.bias === undefined ? 0 : 1,
    workgroup_groups: chooseSplit(inner, groups),
  };
  if (attended !== undefined) {
    const tensors = { x, weight, bias, state: attended.state, y };
    return program.dispatch(gemvSplitAttended, tensors, values, attendedConstants(attended));
  }
  if (norm !== undefined) {
    const name = options.version ?? chooseNormedMatmul(gpu, rows, inner) ?? "gemv";
    const version = versionOf(normedVersions, name as NormedVersion);
    requireVersion(gpu, version, { inner });
    const tensors = { x, weight, bias, norm_weight: norm.weight, norm_bias: norm.bias, y };
    return program.dispatch(version.kernels[0], tensors, values);
  }
  const version = versionOf(matmulVersions, options.version ?? chooseMatmul(gpu, rows, inner, columns));
  requireVersion(gpu, version, { inner });
  program.dispatch(version.kernels[0], { x, weight, bias, y }, values);
}
