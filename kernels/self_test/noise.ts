/** `count` reproducible values in [-scale, scale) (a multiplicative hash of the index and the seed). */
export function noise(count: number, seed: number, scale = 1): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let x = (Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b)) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0xc2b2ae35) >>> 0;
    x = (x ^ (x >>> 13)) >>> 0;
    values[i] = (x / 2 ** 31 - 1) * scale;
  }
  return values;
}
