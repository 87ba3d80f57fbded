import { gelu } from "../math.ts";

export interface MatmulReferenceOptions {
  bias?: ArrayLike<number>;
  gelu?: boolean;
  /** What y held before; added to the result. */
  residual?: ArrayLike<number>;
}

/** y = x W^T in f64, with W as checkpoints store it: x [rows, inner], weight [columns, inner], y [rows, columns]. */
export function matmulReference(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  rows: number,
  inner: number,
  columns: number,
  options: MatmulReferenceOptions = {},
): Float64Array {
  const y = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      let sum = options.bias?.[column] ?? 0;
      for (let k = 0; k < inner; k++) sum += x[row * inner + k] * weight[column * inner + k];
      if (options.gelu) sum = gelu(sum);
      y[row * columns + column] = sum + (options.residual?.[row * columns + column] ?? 0);
    }
  return y;
}

/** The identity: the weight [size, size] of a product that changes nothing. */
export function identityMatrix(size: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
}
