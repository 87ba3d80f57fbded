import type { Program } from "../../engine/program/program.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { embeddingGivenKernel, embeddingKernel } from "./versions.ts";

type Weights = Tensor<"f32"> | Tensor<"f16">;

/** Where a row's index lies in a u32 tensor: `first + row * stride`. */
export interface Strided {
  readonly tensor: Tensor<"u32">;
  readonly first?: number;
  readonly stride?: number;
}

export interface EmbeddingTables {
  /** [tables, vocabulary, ceil(width/4)*4]. Format must equal that of `positions`. */
  readonly table: Weights;
  /** Rows of one table. */
  readonly vocabulary: number;
  readonly width: number;
  /** [block_size, ceil(width/4)*4]. */
  readonly positions?: Weights;
}

/**
 * Records y[r] = sum over q < `tables` of table[q][ids[r, q]], plus the position embedding with `positions`.
 * y: [rows, width] f32.
 * @param ids id (r, q) is element `first + r * stride + q * tableStride`; an id past its table reads the last entry.
 */
export function embedding(
  program: Program,
  weights: EmbeddingTables,
  ids: Strided & { tables?: number; tableStride?: number },
  y: Tensor<"f32">,
  rows: number,
  positions?: Strided,
): void {
  program.dispatch(
    embeddingKernel,
    {
      ids: ids.tensor,
      table: weights.table,
      positions: positions?.tensor,
      position_table: positions === undefined ? undefined : weights.positions,
      y,
    },
    {
      rows,
      width: weights.width,
      tables: ids.tables ?? 1,
      vocabulary: weights.vocabulary,
      id_first: ids.first ?? 0,
      id_row_stride: ids.stride ?? 1,
      id_table_stride: ids.tableStride ?? 0,
      has_positions: positions === undefined ? 0 : 1,
      position_first: positions?.first ?? 0,
      position_stride: positions?.stride ?? 1,
    },
  );
}

/** Records y = given + position embedding. given, y: [rows, width] f32. */
export function embeddingGiven(
  program: Program,
  given: Tensor<"f32">,
  table: Weights,
  positions: Strided,
  y: Tensor<"f32">,
  rows: number,
): void {
  const width = y.shape[y.shape.length - 1];
  program.dispatch(
    embeddingGivenKernel,
    { given, positions: positions.tensor, position_table: table, y },
    { rows, width, position_first: positions.first ?? 0, position_stride: positions.stride ?? 1 },
  );
}
