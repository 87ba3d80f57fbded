/** The results of some loads, in order; two run at a time. */
type Results<L extends readonly (() => Promise<unknown>)[]> = { -readonly [K in keyof L]: Awaited<ReturnType<L[K]>> };

/**
 * Runs loads two at a time, in order: while one tensor is laid out and uploaded, the next is read. At most two are in
 * host memory. After a failure no other load begins, and the pending one is awaited, so that the caller can free all.
 */
export async function loadTwoAtATime<const L extends readonly (() => Promise<unknown>)[]>(
  loads: L,
): Promise<Results<L>> {
  const results: unknown[] = [];
  let next = 0;
  let failed = false;
  const work = async (): Promise<void> => {
    while (next < loads.length && !failed) {
      const index = next++;
      try {
        results[index] = await loads[index]();
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const outcomes = await Promise.allSettled([work(), work()]);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  return results as Results<L>;
}
