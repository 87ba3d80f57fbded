import { EngineError } from "../../engine/errors.ts";
import { packHalves } from "../../engine/float16.ts";
import type { Gpu } from "../../engine/gpu.ts";
import type { WeightFormat } from "../../engine/shader_source.ts";
import type { Tensor } from "../../engine/tensor.ts";

/** A linear layer on the GPU. weight: [inner, ceil(columns/4)*4], the transpose of what checkpoints store. */
export interface Linear {
  readonly weight: Tensor<"f32"> | Tensor<"f16">;
  readonly bias: Tensor<"f32"> | undefined;
  readonly inner: number;
  readonly columns: number;
}

/**
 * Puts a linear layer on the GPU.
 * @param weight [columns, inner] as in checkpoints. @param bias [columns].
 */
export function createLinear(
  gpu: Gpu,
  weight: Float32Array,
  columns: number,
  inner: number,
  label: string,
  options: { format?: WeightFormat; bias?: Float32Array<ArrayBuffer> | undefined } = {},
): Linear {
  if (weight.length !== columns * inner)
    throw new EngineError("shape", "weight does not have the shape of its layer", {
      where: label,
      expected: `[${columns}, ${inner}]`,
      actual: `${weight.length} values`,
    });
  const transposed = transposePadded(weight, columns, inner);
  const bias = options.bias === undefined ? undefined : gpu.tensorFrom("f32", [columns], options.bias, `${label}.bias`);
  return {
    weight: createWeights(gpu, transposed, [inner, Math.ceil(columns / 4) * 4], label, options.format),
    bias,
    inner,
    columns,
  };
}

/** A tensor in a weight format; the last axis must be a multiple of four. */
export function createWeights(
  gpu: Gpu,
  values: Float32Array<ArrayBuffer>,
  shape: readonly number[],
  label: string,
  format: WeightFormat = "f32",
): Tensor<"f32"> | Tensor<"f16"> {
  return format === "f32"
    ? gpu.tensorFrom("f32", shape, values, label)
    : gpu.tensorFrom("f16", shape, packHalves(values), label);
}

export function disposeLinear(linear: Linear): void {
  linear.weight.dispose();
  linear.bias?.dispose();
}

/** [rows, columns] -> [columns, ceil(rows/4)*4], the tail zero. In tiles, so that reads and writes stay in the cache. */
export function transposePadded(values: Float32Array, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const stride = Math.ceil(rows / 4) * 4;
  const result = new Float32Array(columns * stride);
  const tile = 32;
  for (let row0 = 0; row0 < rows; row0 += tile)
    for (let column0 = 0; column0 < columns; column0 += tile) {
      const rowEnd = Math.min(row0 + tile, rows);
      const columnEnd = Math.min(column0 + tile, columns);
      for (let column = column0; column < columnEnd; column++)
        for (let row = row0; row < rowEnd; row++) result[column * stride + row] = values[row * columns + column];
    }
  return result;
}

/** [rows, width] -> [rows, ceil(width/4)*4], the tail zero: the layout of tables that are gathered by row. */
export function padRows(values: Float32Array<ArrayBuffer>, rows: number, width: number): Float32Array<ArrayBuffer> {
  const stride = Math.ceil(width / 4) * 4;
  if (stride === width) return values;
  const result = new Float32Array(rows * stride);
  for (let row = 0; row < rows; row++) result.set(values.subarray(row * width, (row + 1) * width), row * stride);
  return result;
}
