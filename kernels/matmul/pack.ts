import { floatToHalf } from "../../engine/float16.ts";
import { q8Block, type Q8 } from "../../engine/q8.ts";

/**
 * The layouts of engine/formats/matrix_*.wgsl. In all of them a matrix [inner, columns] lies in groups of four columns and
 * blocks of four rows, and what is past its edges is zero.
 */

/** Groups of four columns. */
export const groupsOf = (columns: number): number => Math.ceil(columns / 4);

/** Rows of a matrix once they fill blocks of `multiple`. */
export const paddedRows = (inner: number, multiple: number): number => Math.ceil(inner / multiple) * multiple;

/** [rows, columns] -> [columns, ceil(rows/4)*4], the tail zero. In tiles, so that reads and writes stay in the cache. */
export function transposePadded(
  values: Float32Array,
  rows: number,
  columns: number,
  height = columns,
): Float32Array<ArrayBuffer> {
  const stride = Math.ceil(rows / 4) * 4;
  const result = new Float32Array(height * stride);
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

/** f32: [ceil(inner/4)*4, groups, 4]. @param weight [columns, inner], as in checkpoints. */
export function packMatrixF32(weight: Float32Array, columns: number, inner: number): Float32Array<ArrayBuffer> {
  return transposePadded(weight, columns, inner, paddedRows(inner, 4));
}

/** f16: [ceil(inner/4)*2, groups, 2 rows, 4], two halves a word. @param weight [columns, inner], as in checkpoints. */
export function packMatrixF16(weight: Float32Array, columns: number, inner: number): Uint32Array<ArrayBuffer> {
  const width = groupsOf(columns) * 4;
  const rows = packMatrixF32(weight, columns, inner);
  const words = new Uint32Array(rows.length / 2);
  const halves = new Uint16Array(words.buffer);
  for (let i = 0; i < rows.length; i++) {
    const row = Math.floor(i / width);
    const column = i % width;
    const pair = (row >> 1) * 2 * width + (column >> 2) * 8;
    halves[pair + (row & 1) * 4 + (column & 3)] = floatToHalf(rows[i]);
  }
  return words;
}

/** q8: [ceil(inner/32), 9, groups, 4 words], the scales and then eight blocks. @param weight of [columns, inner]. */
export function packMatrixQ8(
  { quants, scales }: Pick<Q8, "quants" | "scales">,
  columns: number,
  inner: number,
): Uint32Array<ArrayBuffer> {
  const groups = groupsOf(columns);
  const chunks = Math.ceil(inner / q8Block);
  const words = new Uint32Array(chunks * 9 * groups * 4);
  const bytes = new Int8Array(words.buffer);
  const floats = new Float32Array(words.buffer);
  for (let column = 0; column < columns; column++) {
    const group = column >> 2;
    const place = column & 3;
    for (let chunk = 0; chunk < chunks; chunk++)
      floats[(chunk * 9 * groups + group) * 4 + place] = scales[column * chunks + chunk];
    for (let row = 0; row < inner; row++) {
      const block = (row >> 5) * 9 + 1 + ((row >> 2) & 7);
      bytes[((block * groups + group) * 4 + (row & 3)) * 4 + place] = quants[column * inner + row];
    }
  }
  return words;
}
