/** Rows at most this far apart are read together: one read of a few spare bytes is cheaper than two reads. */
const gapRows = 16;

/**
 * The named rows of a table, in this order, read in as few blocks as pays.
 * @param width values of a row. @param readRows reads `count` neighbouring rows from `first` on.
 */
export async function gatherRows(
  rows: readonly number[],
  width: number,
  readRows: (first: number, count: number) => Promise<Float32Array<ArrayBuffer>>,
): Promise<Float32Array<ArrayBuffer>> {
  let result = new Float32Array(0);
  const sorted = [...new Set(rows)].sort((a, b) => a - b);
  for (let i = 0; i < sorted.length;) {
    let last = i;
    while (last + 1 < sorted.length && sorted[last + 1] - sorted[last] <= gapRows) last++;
    const first = sorted[i];
    const block = await readRows(first, sorted[last] - first + 1);
    // Allocated after the first read, which refuses missing rows: they may be too wide for memory.
    if (i === 0) result = new Float32Array(rows.length * width);
    for (const [to, row] of rows.entries())
      if (row >= first && row <= sorted[last])
        result.set(block.subarray((row - first) * width, (row - first + 1) * width), to * width);
    i = last + 1;
  }
  return result;
}
