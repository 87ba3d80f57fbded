import { noiseOf } from "./philox.ts";
import type { SampleOptions } from "./sample.ts";

/** The selection of select.wgsl in f64. */

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
 * The pick from one row of logits, f32.
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
  const noise = noiseOf({ seed, stage, ...draw });
  const noisy = kept.map((id) => ({ id, score: logits[id] / temperature - noise(id) }));
  noisy.sort((a, b) => b.score - a.score || a.id - b.id);
  return { id: noisy[0].id, margin: noisy.length > 1 ? noisy[0].score - noisy[1].score : Infinity };
}
