import type { Program } from "../../engine/program/program.ts";
import type { TensorMaker } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { createLinear, type Linear } from "../matmul/linear.ts";
import { matmul } from "../matmul/matmul.ts";
import { codebookNearest } from "./versions.ts";

/** A codebook on the GPU: the layer x -> scores [size], where score j = x . e_j - |e_j|^2 / 2. */
export type Codebook = Linear<Tensor<"f32">>;

/** Puts a codebook on the GPU. @param entries [size, width]. */
export function createCodebook(
  maker: TensorMaker,
  entries: Float32Array,
  size: number,
  width: number,
  label: string,
): Codebook {
  const bias = new Float32Array(size);
  for (let j = 0; j < size; j++) {
    let squares = 0;
    for (let k = j * width; k < (j + 1) * width; k++) squares += entries[k] * entries[k];
    bias[j] = -squares / 2;
  }
  return createLinear(maker, entries, size, width, label, { bias });
}

/** Where {@link nearestEntries} puts its results. */
export interface NearestResult {
  /** [rows, size]: scratch space. */
  readonly scores: Tensor<"f32">;
  readonly codes: Tensor<"u32">;
  /** Index in `codes` of the code of row 0; the other rows follow. Default 0. */
  readonly first?: number;
}

/**
 * Records one stage of residual vector quantization (Gray 1984; Zeghidour et al. 2021): the code of each row is the entry
 * nearest to it (Euclidean), the first of equals, and the row becomes what that entry leaves over. x: [rows, width] f32.
 */
export function nearestEntries(
  program: Program,
  x: Tensor<"f32">,
  rows: number,
  codebook: Codebook,
  { scores, codes, first = 0 }: NearestResult,
): void {
  const { weight: entries, inner: width, columns: size } = codebook;
  matmul(program, x, codebook, scores, { rows });
  program.dispatch(codebookNearest, { scores, entries, x, codes }, { rows, size, width, first });
}
