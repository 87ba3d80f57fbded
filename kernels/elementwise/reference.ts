/** ELU with alpha 1 (Clevert et al. 2015) in f64. */
export function eluReference(x: ArrayLike<number>): Float64Array {
  return Float64Array.from(x, (value) => (value > 0 ? value : Math.expm1(value)));
}

/** x + y in f64. */
export function addReference(x: ArrayLike<number>, y: ArrayLike<number>): Float64Array {
  return Float64Array.from(x, (value, i) => value + y[i]);
}
