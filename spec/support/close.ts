export { noise } from "../../kernels/self_test/noise.ts";

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
