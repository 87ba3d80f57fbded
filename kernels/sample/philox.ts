/** The random numbers of random.wgsl, bit for bit, for draws that the host makes. */

type Words4 = readonly [number, number, number, number];

/** High and low word of the product of two u32. */
function multiplyWide(a: number, b: number): [high: number, low: number] {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const middle = aHigh * bLow + Math.floor((aLow * bLow) / 65536);
  const cross = aLow * bHigh + (middle % 65536);
  const high = aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(cross / 65536);
  return [high, Math.imul(a, b) >>> 0];
}

/** Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"); all words are u32. */
export function philox(counter: Words4, key: readonly [number, number]): Words4 {
  let [x, y, z, w] = counter;
  let [key0, key1] = key;
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = multiplyWide(0xd2511f53, x);
    const [high1, low1] = multiplyWide(0xcd9e8d57, z);
    [x, y, z, w] = [(high1 ^ y ^ key0) >>> 0, low1, (high0 ^ w ^ key1) >>> 0, low0];
    key0 = (key0 + 0x9e3779b9) >>> 0;
    key1 = (key1 + 0xbb67ae85) >>> 0;
  }
  return [x, y, z, w];
}

/** log(-log u) for u = ((bits >> 8) + 1/2) / 2^24. */
export function logExponential(bits: number): number {
  return Math.log(-Math.log(((bits >>> 8) + 0.5) / 2 ** 24));
}

/** What tells one draw from another. */
export interface Draw {
  readonly seed: bigint;
  /** A number for each stage. */
  readonly stage: number;
  readonly row: number;
  readonly step: number;
}

/**
 * Noise of a draw by Gumbel-max: the id whose score less its noise is the largest is distributed as softmax(scores). Four ids
 * in a row share a counter, and each takes its own of the four words.
 */
export function noiseOf({ seed, stage, row, step }: Draw): (id: number) => number {
  const key = [Number(seed & 0xffffffffn), Number((seed >> 32n) & 0xffffffffn)] as const;
  let words: { quad: number; words: Words4 } | undefined;
  return (id) => {
    const quad = Math.floor(id / 4);
    if (words?.quad !== quad) words = { quad, words: philox([quad, step, row, stage], key) };
    return logExponential(words.words[id % 4]);
  };
}
