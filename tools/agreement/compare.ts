import type { Scores } from "./forced_scores.ts";

/** How far scores are from those of the reference. */
export interface Difference {
  readonly tokens: number;
  /** Tokens at which both have the same greatest score. */
  readonly equal: number;
  /** Greatest and summed |difference|, over `scores` scores. */
  readonly max: number;
  readonly sum: number;
  readonly scores: number;
}

export const none: Difference = { tokens: 0, equal: 0, max: 0, sum: 0, scores: 0 };

export function compareScores(reference: Scores, other: Scores): Difference {
  return reference.rows.map((row, i) => compareRow(row, other.rows[i])).reduce(addDifferences, none);
}

export function addDifferences(a: Difference, b: Difference): Difference {
  return {
    tokens: a.tokens + b.tokens,
    equal: a.equal + b.equal,
    max: Math.max(a.max, b.max),
    sum: a.sum + b.sum,
    scores: a.scores + b.scores,
  };
}

function compareRow(reference: Float32Array, other: Float32Array): Difference {
  let max = 0;
  let sum = 0;
  for (let i = 0; i < reference.length; i++) {
    const difference = Math.abs(reference[i] - other[i]);
    max = Math.max(max, difference);
    sum += difference;
  }
  const equal = argmax(reference) === argmax(other) ? 1 : 0;
  return { tokens: 1, equal, max, sum, scores: reference.length };
}

function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/** How many tokens two sequences begin with in common. */
export function commonPrefix(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i;
  return length;
}
