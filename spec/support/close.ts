/** Fails naming the worst element if any differs by more than `absolute + relative * |expected|`, or is not finite. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: { absolute: number; relative?: number },
  what = "values",
): void {
  if (actual.length !== expected.length)
    throw new Error(`${what}: ${actual.length} values, expected ${expected.length}`);
  let worst = -1;
  let worstExcess = 0;
  for (let i = 0; i < actual.length; i++) {
    const allowed = tolerance.absolute + (tolerance.relative ?? 0) * Math.abs(expected[i]);
    const difference = Math.abs(actual[i] - expected[i]);
    const excess = Number.isFinite(difference) ? difference / allowed : Infinity;
    if (excess > worstExcess) [worst, worstExcess] = [i, excess];
  }
  if (worstExcess > 1)
    throw new Error(
      `${what}: element ${worst} is ${actual[worst]}, expected ${expected[worst]} ` +
        `(${worstExcess.toFixed(1)} times the tolerance)`,
    );
}

/** Largest |actual - expected|. */
export function worstDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < expected.length; i++) worst = Math.max(worst, Math.abs(actual[i] - expected[i]));
  return worst;
}

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
