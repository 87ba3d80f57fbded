import { defineKernel, optionalRead, read, readWrite } from "../../engine/kernel.ts";
import type { Program } from "../../engine/program.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { chooseLayernorm } from "../choose.ts";

const bindings = { x: read("f32"), weight: read("f32"), bias: optionalRead("f32"), y: readWrite("f32") };
const params = { rows: "u32", width: "u32", eps: "f32", has_bias: "u32" } as const;

export const layernormWorkgroup = defineKernel({
  name: "layernorm.workgroup",
  source: new URL("./layernorm.wgsl", import.meta.url),
  bindings,
  params,
  workgroups: ({ rows }) => [rows],
});

export const layernormThread = defineKernel({
  name: "layernorm.thread",
  source: new URL("./layernorm_thread.wgsl", import.meta.url),
  bindings,
  params,
  workgroups: ({ rows }) => [Math.ceil(rows / 8)],
});

export const layernormVersions = { workgroup: layernormWorkgroup, thread: layernormThread };

/** Scale and shift of a layer normalisation. weight, bias: [width] f32. */
export interface LayerNorm {
  readonly weight: Tensor<"f32">;
  readonly bias: Tensor<"f32"> | undefined;
}

/** Records a layer normalisation over the last axis (Ba et al. 2016) with eps 1e-5. x, y: [rows, width] f32. */
export function layernorm(
  program: Program,
  x: Tensor<"f32">,
  norm: LayerNorm,
  y: Tensor<"f32">,
  options: { rows?: number; version?: keyof typeof layernormVersions } = {},
): void {
  const width = norm.weight.size;
  program.dispatch(
    layernormVersions[options.version ?? chooseLayernorm(program.gpu)],
    { x, weight: norm.weight, bias: norm.bias, y },
    { rows: options.rows ?? x.size / width, width, eps: 1e-5, has_bias: norm.bias === undefined ? 0 : 1 },
  );
}
