import type { SampleOptions } from "./sample.ts";

/** The selection of select.wgsl in f64, and Philox4x32-10 bit for bit. */

type Words4 = readonly [number, number, number, number];

/** High and low word of the product of two u32. */
function multiplyWide(a: number, b: number): [high: number, low: number] {
  const product = BigInt(a) * BigInt(b);
  return [Number(product >> 32n), Number(product & 0xffffffffn)];
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

/** The allowed ids, in ascending order. */
function allowedIds({ ranges }: SampleOptions): number[] {
  const ids = new Set(ranges.flatMap(([start, end]) => Array.from({ length: end - start }, (_, i) => start + i)));
  return [...ids].sort((a, b) => a - b);
}

const largest = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, value), -Infinity);

function greedyId(logits: ArrayLike<number>, ids: readonly number[]): number {
  return ids.reduce((best, id) => (logits[id] > logits[best] ? id : best));
}

/** Softmax probability of the end-of-sequence id among the allowed ones, before temperature. */
function eosProbability(logits: ArrayLike<number>, eos: number, ids: readonly number[]): number {
  const maximum = largest(ids.map((id) => logits[id]));
  const total = ids.reduce((sum, id) => sum + Math.exp(logits[id] - maximum), 0);
  return Math.exp(logits[eos] - maximum) / total;
}

/**
 * The ids of one row of logits (f32) that transformers' processors keep, in ascending order: the allowed ranges, the
 * end-of-sequence rule, temperature, top-k (ties with the k-th stay), top-p. Top-p drops ids, the unlikeliest first, while
 * their sum is at most 1 - topP, and never the best. It drops all ids of equal logits or none; transformers drops some, in the
 * order of its sort.
 */
export function keptIds(logits: ArrayLike<number>, options: SampleOptions): number[] {
  const { eos, minEosP = 0, temperature = 1, topK = 0, topP = 1 } = options;
  const score = (id: number): number => Math.fround(logits[id] / Math.fround(temperature));
  let kept = allowedIds(options);
  if (eos !== undefined && minEosP > 0 && eosProbability(logits, eos, kept) > Math.fround(minEosP)) return [eos];
  if (topK > 0 && topK < kept.length) {
    const kth = kept.map(score).sort((a, b) => b - a)[topK - 1];
    kept = kept.filter((id) => score(id) >= kth);
  }
  if (topP >= 1) return kept;
  const maximum = largest(kept.map(score));
  const masses = kept.map((id) => Math.exp(score(id) - maximum));
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  return kept.filter((id) => {
    const upTo = kept.reduce((sum, other, i) => (score(other) <= score(id) ? sum + masses[i] : sum), 0);
    return score(id) === maximum || upTo > (1 - topP) * total;
  });
}

export interface Pick {
  id: number;
  /** Distance of the best noisy score from the next: below the error of f32, the next id is right as well. */
  margin: number;
}

/**
 * The pick from one row of logits, f32. Four ids in a row share a counter, and each takes its own of the four words.
 * @param draw the row's number and step; with the id and the stage they make the counter
 */
export function sampleReference(
  logits: ArrayLike<number>,
  options: SampleOptions,
  draw: { row: number; step: number },
): Pick {
  const { greedy, temperature = 1, seed = 0n, stage = 0 } = options;
  const filters = greedy ? { topK: 0, topP: 1 } : {};
  const kept = keptIds(logits, { ...options, ...filters });
  if (greedy) return { id: greedyId(logits, kept), margin: Infinity };
  const key = [Number(seed & 0xffffffffn), Number((seed >> 32n) & 0xffffffffn)] as const;
  const noisy = kept.map((id) => {
    const words = philox([Math.floor(id / 4), draw.step, draw.row, stage], key);
    return { id, score: logits[id] / temperature - logExponential(words[id % 4]) };
  });
  noisy.sort((a, b) => b.score - a.score || a.id - b.id);
  return { id: noisy[0].id, margin: noisy.length > 1 ? noisy[0].score - noisy[1].score : Infinity };
}
