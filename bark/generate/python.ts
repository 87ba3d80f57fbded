// Arithmetic of Python that the plans repeat exactly.

export type Row = readonly number[];

/** Python's `round`: halves go to the even neighbour. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Python's `values[-count:]`, which is everything for a count of 0. */
export function lastOf(values: Row, count: number): Row {
  return count === 0 ? values : values.slice(Math.max(0, values.length - count));
}
