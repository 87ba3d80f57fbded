import { defineKernel, optionalRead, read, readWrite } from "../../engine/kernel.ts";
import type { Program } from "../../engine/program.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { chooseMatmul } from "../choose.ts";
import type { Linear } from "./linear.ts";

const bindings = { x: read("f32"), weight: read("weight"), bias: optionalRead("f32"), y: readWrite("f32") };
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
} as const;
const preludes = [new URL("./gelu.wgsl", import.meta.url), new URL("./epilogue.wgsl", import.meta.url)];

/** Many rows: register tile of 8 rows by 4 columns. */
export const gemm = defineKernel({
  name: "matmul.gemm",
  source: new URL("./gemm.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  workgroups: ({ rows, groups }) => [Math.ceil(groups / 32), Math.ceil(rows / 8)],
});

/** Few rows, no barriers: for software adapters. */
export const gemv = defineKernel({
  name: "matmul.gemv",
  source: new URL("./gemv.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  workgroups: ({ rows, groups }) => [Math.ceil(groups / 32), rows],
});

/** Few rows, inner axis split over 16 lanes: for GPUs. */
export const gemvSplit = defineKernel({
  name: "matmul.gemv_split",
  source: new URL("./gemv_split.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  workgroups: ({ rows, groups }) => [Math.ceil(groups / 16), rows],
});

export const matmulVersions = { gemm, gemv, gemv_split: gemvSplit };
export type MatmulVersion = keyof typeof matmulVersions;

export interface MatmulOptions {
  /** Rows of x to multiply; they become rows 0.. of y. Default: all. */
  rows?: number;
  /** First of them in x. Default 0. */
  firstRow?: number;
  gelu?: boolean;
  /** Add to y instead of overwriting it (a residual connection). */
  accumulate?: boolean;
  /** Compute only columns [start, end), widened to multiples of four; the others of y stay as they are. */
  columnRange?: readonly [start: number, end: number];
  /** Forces a version, for tests and benches. */
  version?: MatmulVersion;
}

/** Records y = x W (+ bias) for a {@link Linear} layer. x: [n, inner] f32; y: [rows, columns] f32. */
export function matmul(
  program: Program,
  x: Tensor<"f32">,
  linear: Linear,
  y: Tensor<"f32">,
  options: MatmulOptions = {},
): void {
  const { inner, columns, weight, bias } = linear;
  const firstRow = options.firstRow ?? 0;
  const rows = options.rows ?? x.size / inner - firstRow;
  const [start, end] = options.columnRange ?? [0, columns];
  const firstGroup = Math.floor(start / 4);
  const kernel = matmulVersions[options.version ?? chooseMatmul(program.gpu, rows)];
  program.dispatch(
    kernel,
    { x, weight, bias, y },
    {
      rows,
      inner,
      columns,
      first_row: firstRow,
      first_group: firstGroup,
      groups: Math.ceil(end / 4) - firstGroup,
      has_bias: bias === undefined ? 0 : 1,
      gelu: options.gelu ? 1 : 0,
      accumulate: options.accumulate ? 1 : 0,
    },
  );
}
