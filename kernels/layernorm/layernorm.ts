import type { Program } from "../../engine/program/program.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { chooseLayernorm } from "../choose.ts";
import { requireVersion } from "../version.ts";
import { layernormVersions, type LayernormVersion } from "./versions.ts";

/** Scale and shift of a layer normalisation. weight, bias: [width] f32. */
export interface LayerNorm {
  readonly weight: Tensor<"f32">;
  readonly bias: Tensor<"f32"> | undefined;
}

/** Records a layer normalisation over the last axis (Ba et al. 2016) with eps 1e-5. x, y: [rows, width] f32. @throws EngineError `usage` if the version cannot do the width. */
export function layernorm(
  program: Program,
  x: Tensor<"f32">,
  norm: LayerNorm,
  y: Tensor<"f32">,
  options: { rows?: number; version?: LayernormVersion } = {},
): void {
  const width = norm.weight.size;
  const version = layernormVersions[options.version ?? chooseLayernorm(program.gpu, width)];
  requireVersion(program.gpu, version, { width });
  program.dispatch(
    version.kernels[0],
    { x, weight: norm.weight, bias: norm.bias, y },
    { rows: options.rows ?? x.size / width, width, eps: 1e-5, has_bias: norm.bias === undefined ? 0 : 1 },
  );
}
