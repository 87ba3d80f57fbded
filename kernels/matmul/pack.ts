import { floatToHalf } from "../../engine/formats/float16.ts";
import { q8Block, type Q8 } from "../../engine/formats/q8.ts";

/**
 * The layouts of engine/formats/matrix_*.wgsl: a matrix [inner, columns] in panels of 32 columns, one after another, each in
 * blocks of four rows, with zeros past the edges.
 */

/** Columns of a panel: eight groups of four. */
const panelColumns = 32;

/** Columns of a matrix once they fill panels. */
export const paddedColumns = (columns: number): number => Math.ceil(columns / panelColumns) * panelColumns;

/** Rows of a matrix once they fill blocks of `multiple`. */
export const paddedRows = (inner: number, multiple: number): number => Math.ceil(inner / multiple) * multiple;

/** f32: [panels, ceil(inner/4)*4, 32]. @param weight [columns, inner], as in checkpoints. */
export function packMatrixF32(weight: Float32Array, columns: number, inner: number): Float32Array<ArrayBuffer> {
  const rows = paddedRows(inner, 4);
  const result = new Float32Array(rows * paddedColumns(columns));
  // In tiles, so that reads and writes stay in the cache.
  const tile = 32;
  for (let first = 0; first < columns; first += panelColumns)
    for (let top = 0; top < inner; top += tile) {
      const end = Math.min(top + tile, inner);
      for (let column = first; column < Math.min(first + panelColumns, columns); column++)
        for (let row = top; row < end; row++)
          result[first * rows + row * panelColumns + column - first] = weight[column * inner + row];
    }
  return result;
}

/** f16: [panels, ceil(inner/4)*2, 8 groups, 2 rows, 4], two halves a word. @param weight [columns, inner]. */
export function packMatrixF16(weight: Float32Array, columns: number, inner: number): Uint32Array<ArrayBuffer> {
  const values = packMatrixF32(weight, columns, inner);
  const words = new Uint32Array(values.length / 2);
  const halves = new Uint16Array(words.buffer);
  // A panel has an even number of rows, so rows 2 i and 2 i + 1 of `values` are a pair wherever they lie.
  for (let i = 0; i < values.length; i++) {
    const row = Math.floor(i / panelColumns);
    const column = i % panelColumns;
    const group = (row >> 1) * 2 * panelColumns + (column >> 2) * 8;
    halves[group + (row & 1) * 4 + (column & 3)] = floatToHalf(values[i]);
  }
  return words;
}

/** q8: [panels, ceil(inner/32), 9, 8 groups, 4 words], the scales and then eight blocks. @param weight of [columns, inner]. */
export function packMatrixQ8(
  { quants, scales }: Pick<Q8, "quants" | "scales">,
  columns: number,
  inner: number,
): Uint32Array<ArrayBuffer> {
  const chunks = Math.ceil(inner / q8Block);
  const words = new Uint32Array(chunks * 9 * paddedColumns(columns));
  const bytes = new Int8Array(words.buffer);
  const floats = new Float32Array(words.buffer);
  for (let column = 0; column < columns; column++) {
    const within = column % panelColumns;
    const panel = Math.floor(column / panelColumns) * chunks;
    for (let chunk = 0; chunk < chunks; chunk++)
      floats[(panel + chunk) * 9 * panelColumns + within] = scales[column * chunks + chunk];
    for (let row = 0; row < inner; row++) {
      const block = (panel + (row >> 5)) * 9 + 1 + ((row >> 2) & 7);
      const word = block * panelColumns + (within & ~3) + (row & 3);
      bytes[word * 4 + (within & 3)] = quants[column * inner + row];
    }
  }
  return words;
}
