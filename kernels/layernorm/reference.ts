/** Layer normalisation in f64 over rows of `width`: biased variance, eps inside the root. x: [rows, width]. */
export function layernormReference(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  bias: ArrayLike<number> | undefined,
  eps = 1e-5,
): Float64Array {
  const width = weight.length;
  const y = new Float64Array(x.length);
  for (let row = 0; row < x.length; row += width) {
    let mean = 0;
    for (let i = 0; i < width; i++) mean += x[row + i] / width;
    let variance = 0;
    for (let i = 0; i < width; i++) variance += (x[row + i] - mean) ** 2 / width;
    for (let i = 0; i < width; i++)
      y[row + i] = ((x[row + i] - mean) / Math.sqrt(variance + eps)) * weight[i] + (bias?.[i] ?? 0);
  }
  return y;
}
