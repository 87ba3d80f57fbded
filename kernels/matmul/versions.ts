import { defineKernel, optionalRead, read, readWrite, type AnyKernel } from "../../engine/kernel.ts";
import { nothing, type Lack, type Version } from "../version.ts";

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
} as const;
const epilogue = [
  new URL("./preludes/gelu.wgsl", import.meta.url),
  new URL("./preludes/epilogue.wgsl", import.meta.url),
];
const preludes = [...epilogue, new URL("./preludes/bindings.wgsl", import.meta.url)];
const plainPreludes = [...preludes, new URL("./preludes/input_plain.wgsl", import.meta.url)];
const normedPreludes = [...epilogue, new URL("./preludes/normed_bindings.wgsl", import.meta.url)];

interface Size {
  readonly rows: number;
  readonly groups: number;
}
const tiles = (rows: number, groups: number) => (size: Size) =>
  [Math.ceil(size.groups / groups), Math.ceil(size.rows / rows)] as const;
const splits = ({ rows, groups, workgroup_groups }: Size & { readonly workgroup_groups: number }) =>
  [Math.ceil(groups / workgroup_groups), rows] as const;

/** Any shape: one invocation owns four columns of a row. */
export const plain = defineKernel({
  name: "matmul.plain",
  source: new URL("./matmul_plain.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  workgroups: tiles(1, 32),
});

/** Many rows: register tile of 8 rows by 4 columns. */
export const gemm = defineKernel({
  name: "matmul.gemm",
  source: new URL("./matmul_gemm.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  workgroups: tiles(8, 32),
});

/** Many rows, for software adapters with subgroups: register tile of 16 rows by 4 columns, x by broadcast. */
export const gemmBroadcast = defineKernel({
  name: "matmul.gemm_broadcast",
  source: new URL("./matmul_gemm_broadcast.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  features: ["subgroups"],
  workgroups: tiles(16, 8),
});

/** Many rows, for lavapipe with subgroups of eight lanes: register tile of 32 rows by 32 columns, weights by broadcast. */
export const gemmWide = defineKernel({
  name: "matmul.gemm_wide",
  source: new URL("./matmul_gemm_wide.wgsl", import.meta.url),
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
  source: new URL("./matmul_gemm_tiled.wgsl", import.meta.url),
  preludes: [...preludes, new URL("./preludes/tile_64_rows.wgsl", import.meta.url)],
  bindings,
  params,
  workgroups: tiles(64, 16),
});

/** Some rows or few columns, for GPUs: {@link gemmTiled} in tiles of 32 rows, twice as many workgroups. */
export const gemmTiledFlat = defineKernel({
  name: "matmul.gemm_tiled_flat",
  source: new URL("./matmul_gemm_tiled.wgsl", import.meta.url),
  preludes: [...preludes, new URL("./preludes/tile_32_rows.wgsl", import.meta.url)],
  bindings,
  params,
  workgroups: tiles(32, 16),
});

/** One row, no barrier in the product: for software adapters without subgroups. */
export const gemv = defineKernel({
  name: "matmul.gemv",
  source: new URL("./matmul_gemv.wgsl", import.meta.url),
  preludes: plainPreludes,
  bindings,
  params,
  workgroups: tiles(1, 32),
});

/** One row, x handed from lane to lane by shuffles: for software adapters with subgroups. */
export const gemvShuffle = defineKernel({
  name: "matmul.gemv_shuffle",
  source: new URL("./matmul_gemv_shuffle.wgsl", import.meta.url),
  preludes: [...preludes, new URL("./preludes/input_plain_shuffle.wgsl", import.meta.url)],
  bindings,
  params,
  features: ["subgroups"],
  workgroups: tiles(1, 8),
});

/** Two to four rows in one sweep over the weights, for software adapters with subgroups. */
export const gemvBroadcast = defineKernel({
  name: "matmul.gemv_broadcast",
  source: new URL("./matmul_gemv_broadcast.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  features: ["subgroups"],
  workgroups: tiles(4, 8),
});

/** Three or four rows in one sweep over the weights, for software adapters without subgroups. */
export const gemvRows = defineKernel({
  name: "matmul.gemv_rows",
  source: new URL("./matmul_gemv_rows.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  workgroups: tiles(4, 32),
});

/** One to four rows, the inner axis split over lanes: for GPUs. */
export const gemvSplit = defineKernel({
  name: "matmul.gemv_split",
  source: new URL("./matmul_gemv_split.wgsl", import.meta.url),
  preludes: plainPreludes,
  bindings,
  params,
  workgroups: splits,
});

/** {@link gemv} behind a layer normalisation of x. */
export const gemvNormed = defineKernel({
  name: "matmul.gemv_normed",
  source: new URL("./matmul_gemv.wgsl", import.meta.url),
  preludes: [...normedPreludes, new URL("./preludes/input_normed.wgsl", import.meta.url)],
  bindings: normedBindings,
  params,
  workgroups: tiles(1, 64),
});

/** {@link gemvShuffle} behind a layer normalisation of x. */
export const gemvShuffleNormed = defineKernel({
  name: "matmul.gemv_shuffle_normed",
  source: new URL("./matmul_gemv_shuffle.wgsl", import.meta.url),
  preludes: [...normedPreludes, new URL("./preludes/input_normed_shuffle.wgsl", import.meta.url)],
  bindings: normedBindings,
  params,
  features: ["subgroups"],
  workgroups: tiles(1, 8),
});

/** {@link gemvSplit} behind a layer normalisation of x. */
export const gemvSplitNormed = defineKernel({
  name: "matmul.gemv_split_normed",
  source: new URL("./matmul_gemv_split.wgsl", import.meta.url),
  preludes: [
    ...normedPreludes,
    new URL("../attention/preludes/lane_reduce.wgsl", import.meta.url),
    new URL("./preludes/input_normed_split.wgsl", import.meta.url),
  ],
  bindings: normedBindings,
  params,
  workgroups: splits,
});

/** {@link gemvSplit} of what attention left in parts, for heads of `4 * head_quads` values over `chunks` parts of a cache. */
export const gemvSplitAttended = defineKernel({
  name: "matmul.gemv_split_attended",
  source: new URL("./matmul_gemv_split.wgsl", import.meta.url),
  preludes: [...epilogue, new URL("./preludes/input_attended_split.wgsl", import.meta.url)],
  bindings: {
    x: read("f32"),
    weight: read("matrix"),
    bias: optionalRead("f32"),
    state: read("u32"),
    y: readWrite("f32"),
  },
  params,
  constants: { head_quads: 16, chunks: 8 },
  workgroups: splits,
});

export interface MatmulShape {
  readonly inner: number;
}

/** Values of a row that input_normed.wgsl and input_normed_split.wgsl keep in workgroup memory. */
const mostNormed = 2048;

const innerOfFour = ({ inner }: MatmulShape): Lack | undefined =>
  inner % 4 === 0 ? undefined : { needs: "an inner width that is a multiple of four", actual: inner };

const normable = ({ inner }: MatmulShape): Lack | undefined =>
  inner > mostNormed
    ? { needs: `at most ${mostNormed} values behind a layer norm`, actual: inner }
    : innerOfFour({ inner });

/** A version that reads x in vectors of four. */
const ofFour = <K extends AnyKernel>(kernel: K): Version<MatmulShape, readonly [K]> => ({
  kernels: [kernel],
  lacks: innerOfFour,
});
const normed = <K extends AnyKernel>(kernel: K): Version<MatmulShape, readonly [K]> => ({
  kernels: [kernel],
  lacks: normable,
});

/** The ladder, the plainest first. */
export const matmulVersions = {
  plain: { kernels: [plain], lacks: nothing },
  gemv: ofFour(gemv),
  gemv_shuffle: ofFour(gemvShuffle),
  gemv_broadcast: ofFour(gemvBroadcast),
  gemv_rows: ofFour(gemvRows),
  gemv_split: ofFour(gemvSplit),
  gemm: ofFour(gemm),
  gemm_broadcast: ofFour(gemmBroadcast),
  gemm_wide: ofFour(gemmWide),
  gemm_tiled: ofFour(gemmTiled),
  gemm_tiled_flat: ofFour(gemmTiledFlat),
} as const satisfies Record<string, Version<MatmulShape>>;
export type PlainVersion = keyof typeof matmulVersions;

/** A version itself instead of its name: one of the table, a rung of the lab, or your own. */
export interface OwnMatmulVersion extends Version<MatmulShape, readonly [typeof gemm]> {
  /** How far off its results may be, as a share of the largest value. Default: as f32 is. */
  readonly error?: number;
}

/** The versions that take a layer normalisation of x in front. */
export const normedVersions = {
  gemv: normed(gemvNormed),
  gemv_shuffle: normed(gemvShuffleNormed),
  gemv_split: normed(gemvSplitNormed),
} as const satisfies Record<string, Version<MatmulShape>>;
export type NormedVersion = keyof typeof normedVersions;
