/**
 * The entry nearest to each row (Euclidean distance, the first of equals) and what it leaves over, in f64.
 * x: [rows, width]; entries: [size, width].
 */
export function nearestReference(
  x: ArrayLike<number>,
  entries: ArrayLike<number>,
  width: number,
): { codes: number[]; residual: Float64Array } {
  const size = entries.length / width;
  const residual = Float64Array.from(x);
  const codes: number[] = [];
  for (let row = 0; row < x.length; row += width) {
    let code = 0;
    let nearest = Infinity;
    for (let j = 0; j < size; j++) {
      let distance = 0;
      for (let k = 0; k < width; k++) distance += (x[row + k] - entries[j * width + k]) ** 2;
      if (distance < nearest) [code, nearest] = [j, distance];
    }
    codes.push(code);
    for (let k = 0; k < width; k++) residual[row + k] -= entries[code * width + k];
  }
  return { codes, residual };
}
