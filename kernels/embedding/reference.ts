/** y[r] = sum_q table[q][ids[r][q]] (+ positionTable[positions[r]]) in f64. table: [tables, vocabulary, width]. */
export function embeddingReference(
  table: ArrayLike<number>,
  vocabulary: number,
  width: number,
  ids: readonly (readonly number[])[],
  positionTable?: ArrayLike<number>,
  positions?: readonly number[],
): Float64Array {
  const y = new Float64Array(ids.length * width);
  for (const [row, rowIds] of ids.entries())
    for (let i = 0; i < width; i++) {
      let sum = 0;
      for (const [q, id] of rowIds.entries()) sum += table[(q * vocabulary + id) * width + i];
      if (positionTable !== undefined && positions !== undefined) sum += positionTable[positions[row] * width + i];
      y[row * width + i] = sum;
    }
  return y;
}
