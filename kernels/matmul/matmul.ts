import { EngineError } from "../../engine/errors.ts";
import type { Gpu } from "../../engine/gpu.ts";
import { defineKernel, optionalRead, read, readWrite, type AnyKernel } from "../../engine/kernel.ts";
import type { Program } from "../../engine/program.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { Attended } from "../attention/decode.ts";
import { chooseMatmul, chooseNormedMatmul, chooseSplit } from "../choose.ts";
import type { LayerNorm } from "../layernorm/layernorm.ts";
import type { Linear } from "./linear.ts";

const bindings = { x: read("f32"), weight: read("matrix"), bias: optionalRead("f32"), y: readWrite("f32") };
const normedBindings = {
  x: read("f32"),
  weight: read("matrix"),
  bias: optionalRead("f32"),
  norm_weight: read("f32"),
  norm_bias: optionalRead("f32"),
  y: readWrite("f32"),
};
const params = {
  rows: "u32",
  inner: "u32",
  columns: "u32",
  first_row: "u32",
  first_group: "u32",
  groups: "u32",
  has_bias: "u32",
  gelu: "u32",
  accumulate: "u32",
  has_norm_bias: "u32",
  workgroup_groups: "u32",
  head_quads: "u32",
  chunks: "u32",
} as const;
const epilogue = [new URL("./gelu.wgsl", import.meta.url), new URL("./epilogue.wgsl", import.meta.url)];
const preludes = [...epilogue, new URL("./bindings.wgsl", import.meta.url)];
const plainPreludes = [...preludes, new URL("./plain_input.wgsl", import.meta.url)];
const normBindingPreludes = [...epilogue, new URL("./normed_bindings.wgsl", import.meta.url)];
const normedPreludes = [...normBindingPreludes, new URL("./normed_input.wgsl", import.meta.url)];
const lanes = new URL("../attention/lane_reduce.wgsl", import.meta.url);

interface Shape {
  readonly rows: number;
  readonly groups: number;
}
const tiles = (rows: number, groups: number) => (shape: Shape) =>
  [Math.ceil(shape.groups / groups), Math.ceil(shape.rows / rows)] as const;

/** Any shape: one invocation owns four columns of a row. */
export const plain = defineKernel({
  name: "matmul.plain",
  source: new URL("./plain.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  workgroups: tiles(1, 32),
});

/** Many rows: register tile of 8 rows by 4 columns. */
export const gemm = defineKernel({
  name: "matmul.gemm",
  source: new URL("./gemm.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  workgroups: tiles(8, 32),
});

/** Many rows, for software adapters with subgroups: register tile of 16 rows by 4 columns, x by broadcast. */
export const gemmBroadcast = defineKernel({
  name: "matmul.gemm_broadcast",
  source: new URL("./gemm_broadcast.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  features: ["subgroups"],
  workgroups: tiles(16, 8),
});

/** Many rows, for lavapipe with subgroups of eight lanes: register tile of 32 rows by 32 columns, weights by broadcast. */
export const gemmWide = defineKernel({
  name: "matmul.gemm_wide",
  source: new URL("./gemm_wide.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  features: ["subgroups"],
  subgroupLanes: 8,
  workgroups: tiles(32, 8),
});

/** Many rows, for GPUs: tiles of 64 rows by 64 columns in workgroup memory. */
export const gemmTiled = defineKernel({
  name: "matmul.gemm_tiled",
  source: new URL("./gemm_tiled.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  workgroups: tiles(64, 16),
});

/** Some rows or few columns, for GPUs: tiles of 32 rows by 64 columns. */
export const gemmTiledFlat = defineKernel({
  name: "matmul.gemm_tiled_flat",
  source: new URL("./gemm_tiled_flat.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  workgroups: tiles(32, 16),
});

/** One row, no barriers in the product: for software adapters. */
export const gemv = defineKernel({
  name: "matmul.gemv",
  source: new URL("./gemv.wgsl", import.meta.url),
  preludes: plainPreludes,
  bindings,
  params,
  workgroups: tiles(1, 32),
});

/** {@link gemv} with x handed from lane to lane: for software adapters with subgroups. */
export const gemvLanes = defineKernel({
  name: "matmul.gemv_lanes",
  source: new URL("./gemv_lanes.wgsl", import.meta.url),
  preludes: [...preludes, new URL("./plain_lanes.wgsl", import.meta.url)],
  bindings,
  params,
  features: ["subgroups"],
  workgroups: tiles(1, 8),
});

/** Two to four rows in one sweep over the weights, for software adapters with subgroups. */
export const gemvBroadcast = defineKernel({
  name: "matmul.gemv_broadcast",
  source: new URL("./gemv_broadcast.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  features: ["subgroups"],
  workgroups: tiles(4, 8),
});

/** Workgroups of {@link gemvSplit}. */
const splits = ({ rows, groups, workgroup_groups }: Shape & { readonly workgroup_groups: number }) =>
  [Math.ceil(groups / workgroup_groups), rows] as const;

/** Three or four rows in one sweep over the weights, for software adapters without subgroups. */
export const gemvRows = defineKernel({
  name: "matmul.gemv_rows",
  source: new URL("./gemv_rows.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  workgroups: tiles(4, 32),
});

/** Few rows, inner axis split over lanes: for GPUs. */
export const gemvSplit = defineKernel({
  name: "matmul.gemv_split",
  source: new URL("./gemv_split.wgsl", import.meta.url),
  preludes: plainPreludes,
  bindings,
  params,
  workgroups: splits,
});

/** {@link gemv} behind a layer normalisation of x. */
export const gemvNormed = defineKernel({
  name: "matmul.gemv_normed",
  source: new URL("./gemv.wgsl", import.meta.url),
  preludes: normedPreludes,
  bindings: normedBindings,
  params,
  workgroups: tiles(1, 64),
});

/** {@link gemvLanes} behind a layer normalisation of x. */
export const gemvLanesNormed = defineKernel({
  name: "matmul.gemv_lanes_normed",
  source: new URL("./gemv_lanes.wgsl", import.meta.url),
  preludes: [...normBindingPreludes, new URL("./normed_lanes.wgsl", import.meta.url)],
  bindings: normedBindings,
  params,
  features: ["subgroups"],
  workgroups: tiles(1, 8),
});

/** {@link gemvSplit} behind a layer normalisation of x. */
export const gemvSplitNormed = defineKernel({
  name: "matmul.gemv_split_normed",
  source: new URL("./gemv_split.wgsl", import.meta.url),
  preludes: [...normBindingPreludes, lanes, new URL("./normed_input_lanes.wgsl", import.meta.url)],
  bindings: normedBindings,
  params,
  workgroups: splits,
});

/** {@link gemvSplit} of attention that is left in parts. */
export const gemvSplitAttended = defineKernel({
  name: "matmul.gemv_split_attended",
  source: new URL("./gemv_split.wgsl", import.meta.url),
  preludes: [...epilogue, new URL("./attended_input.wgsl", import.meta.url)],
  bindings: {
    x: read("f32"),
    weight: read("matrix"),
    bias: optionalRead("f32"),
    state: read("u32"),
    y: readWrite("f32"),
  },
  params,
  workgroups: splits,
});

/** The ladder, the plainest first. */
export const matmulVersions = {
  plain,
  gemv,
  gemv_lanes: gemvLanes,
  gemv_broadcast: gemvBroadcast,
  gemv_rows: gemvRows,
  gemv_split: gemvSplit,
  gemm,
  gemm_broadcast: gemmBroadcast,
  gemm_wide: gemmWide,
  gemm_tiled: gemmTiled,
  gemm_tiled_flat: gemmTiledFlat,
};
/** Those behind a layer normalisation of x. */
export const normedVersions = {
  gemv: gemvNormed,
  gemv_lanes: gemvLanesNormed,
  gemv_split: gemvSplitNormed,
};
export type PlainVersion = keyof typeof matmulVersions;
export type NormedVersion = keyof typeof normedVersions;
export type MatmulVersion = PlainVersion | NormedVersion;

/** Values of a row that normed_input.wgsl keeps in workgroup memory. */
const mostNormed = 2048;

/** Whether {@link matmul} can take a layer norm in front of a product of `rows` rows of `inner` values. */
export function fusesNorm(program: Program, rows: number, inner: number): boolean {
  return inner <= mostNormed && chooseNormedMatmul(program.gpu, rows, inner) !== undefined;
}

/** The kernels that a model's products of `rows` rows of `inner` values are made of. */
export function matmulKernels(gpu: Gpu, rows: number, inner: number): readonly AnyKernel[] {
  // Of few columns and of many: a GPU's tile depends on how many there are.
  const names = new Set([inner, 1 << 16].map((columns) => chooseMatmul(gpu, rows, inner, columns)));
  const plainKernels = Array.from(names, (name) => matmulVersions[name]);
  const normed = chooseNormedMatmul(gpu, rows, inner);
  if (normed === undefined) return plainKernels;
  const attended = names.has("gemv_split") ? [gemvSplitAttended] : [];
  return [...plainKernels, normedVersions[normed], ...attended];
}

export interface MatmulOptions {
  /** Rows of x to multiply; they become rows 0.. of y. Default: all. */
  rows?: number;
  /** First of them in x. Default 0. */
  firstRow?: number;
  /** A layer normalisation of x in front, where {@link fusesNorm} allows it. */
  norm?: LayerNorm;
  gelu?: boolean;
  /** Attention left in parts, `x` being its parts, which are merged in front. One row or a few. */
  attended?: Attended | undefined;
  /** Add to y instead of overwriting it (a residual connection). */
  accumulate?: boolean;
  /** Compute only columns [start, end), widened to multiples of four; the others of y stay as they are. */
  columnRange?: readonly [start: number, end: number];
  /** Forces a version, for tests and benches. */
  version?: MatmulVersion;
}

/**
 * Records y = x W (+ bias) for a {@link Linear} layer. x: [n, inner] f32; y: [rows, columns] f32.
 * @throws EngineError `usage` if the version that is forced cannot do this product.
 */
export function matmul(
  program: Program,
  x: Tensor<"f32">,
  linear: Linear,
  y: Tensor<"f32">,
  options: MatmulOptions = {},
): void {
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
    head_quads: (attended?.headDim ?? 0) / 4,
    chunks: attended?.chunks ?? 0,
  };
  if (attended !== undefined)
    return program.dispatch(gemvSplitAttended, { x, weight, bias, state: attended.state, y }, values);
  if (norm !== undefined) {
    const version = options.version ?? chooseNormedMatmul(program.gpu, rows, inner) ?? "gemv";
    const kernel = fit(program, version, normedVersions, inner);
    if (inner > mostNormed) throw unfit(version, `at most ${mostNormed} values behind a layer norm`, inner);
    return program.dispatch(kernel, { x, weight, bias, norm_weight: norm.weight, norm_bias: norm.bias, y }, values);
  }
  const version = options.version ?? chooseMatmul(program.gpu, rows, inner, columns);
  program.dispatch(fit(program, version, matmulVersions, inner), { x, weight, bias, y }, values);
}

/** The kernel of a version. @throws EngineError `usage` if there is none, or if it cannot do the product. */
function fit<K extends AnyKernel>(
  program: Program,
  version: MatmulVersion,
  versions: Readonly<Partial<Record<MatmulVersion, K>>>,
  inner: number,
): K {
  const kernel = versions[version];
  if (kernel === undefined) throw unfit(version, `one of ${Object.keys(versions).join(", ")}`, version);
  if (!program.gpu.supports(kernel)) throw unfit(version, "a device with subgroups", "none");
  if (version !== "plain" && inner % 4 !== 0) throw unfit(version, "an inner width that is a multiple of four", inner);
  return kernel;
}

function unfit(version: MatmulVersion, expected: string, actual: number | string): EngineError {
  return new EngineError("usage", "this version cannot do this product", {
    where: `matmul.${version}`,
    expected,
    actual,
  });
}
