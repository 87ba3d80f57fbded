type Values = Float32Array<ArrayBuffer>;

/** [rows, columns] to [columns, rows]. */
export function transposed(values: Float32Array, rows: number, columns: number): Values {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) result[column * rows + row] = values[row * columns + column];
  return result;
}

/** [past, heads headDim] to [heads, past, headDim]. */
export function byHead(values: Float32Array, past: number, heads: number, headDim: number): Values {
  const result = new Float32Array(values.length);
  for (let row = 0; row < past; row++)
    for (let head = 0; head < heads; head++) {
      const from = (row * heads + head) * headDim;
      result.set(values.subarray(from, from + headDim), (head * past + row) * headDim);
    }
  return result;
}

/** 0 where a query sees a key, else a large negative number. [rows, rows] */
export function causalMask(rows: number): Values {
  return Float32Array.from({ length: rows * rows }, (_, i) => (i % rows > Math.floor(i / rows) ? -1e9 : 0));
}

/** Frames of a convolution's result. */
export function resultLength({ length, stride }: { readonly length: number; readonly stride: number }): number {
  return length * stride;
}
