// Node 20 has no Float16Array, so halves are converted by their bits.

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

/** The f32 value of an IEEE half. */
export function halfToFloat(half: number): number {
  const exponent = half & 0x7c00;
  const magnitude = half & 0x7fff;
  if (exponent === 0) return (half & 0x8000 ? -1 : 1) * magnitude * 2 ** -24;
  // The exponent's bias is 127 instead of 15; that of infinity and NaN stays the largest.
  bits[0] = ((half & 0x8000) << 16) | ((magnitude << 13) + (exponent === 0x7c00 ? 0x70000000 : 0x38000000));
  return float[0];
}

/** The IEEE half nearest to an f32 value, ties to even; infinity beyond its range. */
export function floatToHalf(value: number): number {
  float[0] = value;
  const x = bits[0];
  const sign = (x >>> 16) & 0x8000;
  const magnitude = x & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal half: adding 0.5 (whose last bit weighs 2^-24) makes the f32 adder round to a multiple of 2^-24.
    bits[0] = magnitude;
    float[0] += 0.5;
    return sign | (bits[0] - 0x3f000000);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

let table: Float32Array | undefined;

/** Halves to f32. */
export function unpackHalves(halves: Uint16Array): Float32Array<ArrayBuffer> {
  table ??= Float32Array.from({ length: 65536 }, (_, half) => halfToFloat(half));
  const values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) values[i] = table[halves[i]];
  return values;
}

/** bfloat16 (the upper half of an f32) to f32. */
export function unpackBfloats(bfloats: Uint16Array): Float32Array<ArrayBuffer> {
  const words = new Uint32Array(bfloats.length);
  for (let i = 0; i < bfloats.length; i++) words[i] = bfloats[i] << 16;
  return new Float32Array(words.buffer);
}

/** f32 to halves, two to a word, low half first; an odd count is filled with a zero. */
export function packHalves(values: Float32Array): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(values.length / 2));
  const halves = new Uint16Array(words.buffer);
  for (let i = 0; i < values.length; i++) halves[i] = floatToHalf(values[i]);
  return words;
}

/** The f32 values that bfloat16 holds, nearest to these, ties to even; a NaN stays one. */
export function roundToBfloats(values: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const rounded = words.map((word) => {
    const isNaN = (word & 0x7fffffff) > 0x7f800000;
    return (isNaN ? word | 0x400000 : word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
  });
  return new Float32Array(rounded.buffer);
}
