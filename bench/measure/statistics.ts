/** What a set of measurements says. Quartiles, because on a shared machine a few of them are far off. */
export interface Summary {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
  readonly min: number;
  readonly count: number;
}

/** @param samples at least one. */
export function summarize(samples: readonly number[]): Summary {
  const sorted = samples.toSorted((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    lowerQuartile: quantile(sorted, 0.25),
    upperQuartile: quantile(sorted, 0.75),
    min: sorted[0],
    count: sorted.length,
  };
}

/** Linear between the two neighbours, as numpy's default. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const next = sorted[Math.min(below + 1, sorted.length - 1)];
  return sorted[below] + (next - sorted[below]) * (at - below);
}

/** Half the distance of the quartiles as a share of the median. */
export function spreadOf({ median, lowerQuartile, upperQuartile }: Summary): number {
  return median === 0 ? 0 : (upperQuartile - lowerQuartile) / 2 / median;
}
