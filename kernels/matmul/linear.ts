import { EngineError } from "../../engine/errors.ts";
import { floatToHalf, halfToFloat, packHalves } from "../../engine/formats/float16.ts";
import { dequantizeQ8, q8Block, quantizeQ8 } from "../../engine/formats/q8.ts";
import type { TensorMaker } from "../../engine/scope.ts";
import type { MatrixFormat, WeightFormat } from "../../engine/dtypes.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { chooseStorage } from "../choose.ts";
import { packMatrixF16, packMatrixF32, packMatrixQ8, paddedColumns, paddedRows } from "./pack.ts";

/** A linear layer on the GPU. weight: [inner, columns] in the layouts of pack.ts, the transpose of what checkpoints store. */
export interface Linear<W extends Tensor = Tensor<"f32"> | Tensor<"f16"> | Tensor<"q8">> {
  readonly weight: W;
  readonly bias: Tensor<"f32"> | undefined;
  readonly inner: number;
  readonly columns: number;
}

export interface LinearOptions {
  /**
   * The precision of the weights: f16, or q8 (engine/formats/q8.ts) with a scale for 32 neighbours along `inner`. Default f32. Where
   * packed weights are slower than f32, {@link chooseStorage} stores the rounded values as f32.
   */
  format?: MatrixFormat;
  /** Forces their storage, for tests and benches. */
  storage?: MatrixFormat;
  /** [columns] */
  bias?: Float32Array<ArrayBuffer> | undefined;
}

/**
 * Puts a linear layer on the GPU.
 * @param weight [columns, inner] as in checkpoints.
 */
export function createLinear(
  maker: TensorMaker,
  weight: Float32Array,
  columns: number,
  inner: number,
  label: string,
  options?: Pick<LinearOptions, "bias">,
): Linear<Tensor<"f32">>;
export function createLinear(
  maker: TensorMaker,
  weight: Float32Array,
  columns: number,
  inner: number,
  label: string,
  options: LinearOptions,
): Linear;
export function createLinear(
  maker: TensorMaker,
  weight: Float32Array,
  columns: number,
  inner: number,
  label: string,
  { format = "f32", storage = chooseStorage(maker.gpu, format), bias }: LinearOptions = {},
): Linear {
  checkShape(weight, columns, inner, label);
  return {
    weight: createMatrix(maker, storage === format ? weight : roundTo(weight, columns, inner, format), columns, inner, {
      storage,
      label,
    }),
    bias: bias === undefined ? undefined : maker.tensorFrom("f32", [columns], bias, `${label}.bias`),
    inner,
    columns,
  };
}

function checkShape(weight: Float32Array, columns: number, inner: number, label: string): void {
  if (weight.length === columns * inner) return;
  throw new EngineError("shape", "weight does not have the shape of its layer", {
    where: label,
    expected: `[${columns}, ${inner}]`,
    actual: `${weight.length} values`,
  });
}

/** The values that a weight [columns, inner] keeps in a format. */
export function roundTo(
  weight: Float32Array,
  columns: number,
  inner: number,
  format: MatrixFormat,
): Float32Array<ArrayBuffer> {
  if (format === "q8") return dequantizeQ8(quantizeQ8(weight, columns, inner), columns, inner);
  const values = new Float32Array(weight);
  // A loop: `map` or `from` with a function take 1.5 s for 4 M values, this 0.03 s.
  if (format === "f16") for (let i = 0; i < values.length; i++) values[i] = halfToFloat(floatToHalf(values[i]));
  return values;
}

function createMatrix(
  maker: TensorMaker,
  weight: Float32Array,
  columns: number,
  inner: number,
  { storage, label }: { storage: MatrixFormat; label: string },
): Linear["weight"] {
  const width = paddedColumns(columns);
  if (storage === "q8") {
    const words = packMatrixQ8(quantizeQ8(weight, columns, inner), columns, inner);
    return maker.tensorFrom("q8", [paddedRows(inner, q8Block), width], words, label);
  }
  const shape = [paddedRows(inner, 4), width];
  return storage === "f16"
    ? maker.tensorFrom("f16", shape, packMatrixF16(weight, columns, inner), label)
    : maker.tensorFrom("f32", shape, packMatrixF32(weight, columns, inner), label);
}

/** A tensor in a weight format; the last axis must be a multiple of four. */
export function createWeights(
  maker: TensorMaker,
  values: Float32Array<ArrayBuffer>,
  shape: readonly number[],
  label: string,
  format: WeightFormat = "f32",
): Tensor<"f32"> | Tensor<"f16"> {
  return format === "f32"
    ? maker.tensorFrom("f32", shape, values, label)
    : maker.tensorFrom("f16", shape, packHalves(values), label);
}

/** [rows, width] -> [rows, ceil(width/4)*4], the tail zero: the layout of embedding tables. */
export function padRows(values: Float32Array<ArrayBuffer>, rows: number, width: number): Float32Array<ArrayBuffer> {
  const stride = Math.ceil(width / 4) * 4;
  if (stride === width) return values;
  const result = new Float32Array(rows * stride);
  for (let row = 0; row < rows; row++) result.set(values.subarray(row * width, (row + 1) * width), row * stride);
  return result;
}
