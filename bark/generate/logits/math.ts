const { fround } = Math;

/** log(softmax(scores)) in f32, subtracting the maximum and then the logarithm of the sum, as torch does on a CPU. */
export function logSoftmax(scores: Float32Array): Float32Array {
  const { most, total } = exponentials(scores);
  const log = fround(Math.log(total));
  return scores.map((score) => fround(fround(score - most) - log));
}

/** softmax(scores) in f32; NaN throughout where there is nothing to choose from, as in torch. */
export function softmax(scores: Float32Array): Float32Array {
  const { most, total } = exponentials(scores);
  return scores.map((score) => fround(fround(Math.exp(fround(score - most))) / total));
}

function exponentials(scores: Float32Array): { most: number; total: number } {
  let most = -Infinity;
  for (const score of scores) most = Math.max(most, score);
  let total = 0;
  for (const score of scores) total += fround(Math.exp(fround(score - most)));
  return { most, total: fround(total) };
}

/** Running sums: in f64, each rounded to f32, as torch's cumsum. */
export function cumulative(values: Iterable<number>): number[] {
  let total = 0;
  return Array.from(values, (value) => fround((total += value)));
}

/** The k-th largest value, NaN counting as the largest. @param k at most the number of values. */
export function kthLargest(values: Float32Array, k: number): number {
  // A typed array's own order: ascending, NaN last.
  return Float32Array.from(values).sort()[values.length - k];
}

/** Ids in the order of their values, ascending, NaN last; equal ones in the order of the ids. */
export function ascending(values: Float32Array): number[] {
  const rank = (value: number): number => (Number.isNaN(value) ? Infinity : value);
  return Array.from(values.keys()).sort((a, b) => {
    const [x, y] = [rank(values[a]), rank(values[b])];
    return x < y ? -1 : x > y ? 1 : Number(Number.isNaN(values[a])) - Number(Number.isNaN(values[b])) || a - b;
  });
}
