/**
 * q8: integers of 8 bits with a scale for every 32 neighbours of a row. The GPU and files share one quantiser, so weights
 * from a q8 file are the same on the GPU, bit by bit.
 */

/** Neighbours along a row that share a scale. */
export const q8Block = 32;

const greatest = 127;

/** A matrix [rows, columns] in q8. */
export interface Q8 {
  /** [rows, columns], from -127 to 127. */
  readonly quants: Int8Array<ArrayBuffer>;
  /** [rows, ceil(columns / 32)]; the last block of a row may be shorter. */
  readonly scales: Float32Array<ArrayBuffer>;
}

export function q8BlocksOf(columns: number): number {
  return Math.ceil(columns / q8Block);
}

/**
 * The nearest q8 of a matrix [rows, columns]: value ≈ quant · scale, scale = max |value| of the block / 127. A block with
 * a value that is not finite gets the scale NaN, so that the fault shows.
 */
export function quantizeQ8(values: Float32Array, rows: number, columns: number): Q8 {
  const blocks = q8BlocksOf(columns);
  const quants = new Int8Array(rows * columns);
  const scales = new Float32Array(rows * blocks);
  for (let row = 0; row < rows; row++)
    for (let block = 0; block < blocks; block++) {
      const begin = row * columns + block * q8Block;
      const end = Math.min(begin + q8Block, (row + 1) * columns);
      const scale = scaleOf(values, begin, end);
      scales[row * blocks + block] = scale;
      // With a scale of 0 or NaN this is NaN, which an Int8Array stores as 0.
      for (let i = begin; i < end; i++) quants[i] = nearest(values[i] / scale);
    }
  return { quants, scales };
}

/** The values [rows, columns] of a q8 matrix; exact, see {@link quantizeQ8}. */
export function dequantizeQ8({ quants, scales }: Q8, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const blocks = q8BlocksOf(columns);
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const i = row * columns + column;
      values[i] = quants[i] * scales[row * blocks + Math.floor(column / q8Block)];
    }
  return values;
}

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);
/** Lower bits of an f32 that a scale leaves 0. */
const spareBits = 0x7f;

/**
 * max |value| / 127, rounded up to 17 significant bits (by 2^-16 of it at most). With the 7 bits of a quant they fit the
 * 24 bits of an f32, so quant · scale is exact, and quantising dequantised values gives the same quants and scale. (With
 * all 24 bits of the scale the product is rounded, and one block in 200 gets another scale.)
 */
function scaleOf(values: Float32Array, begin: number, end: number): number {
  let most = 0;
  for (let i = begin; i < end; i++) {
    const magnitude = Math.abs(values[i]);
    if (!Number.isFinite(magnitude)) return NaN;
    if (magnitude > most) most = magnitude;
  }
  float[0] = most / greatest;
  bits[0] = (bits[0] + spareBits) & ~spareBits;
  return float[0];
}

/** Doubles of this size have no fraction, so adding it rounds to an integer, ties to even. */
const roundsToInteger = 1.5 * 2 ** 52;

/** The clamp is for subnormal scales, which are too coarse for their block. */
function nearest(value: number): number {
  return Math.max(-greatest, Math.min(greatest, value + roundsToInteger - roundsToInteger));
}
