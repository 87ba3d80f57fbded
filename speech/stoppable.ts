/**
 * A generator whose `return()` takes effect at once. An async generator by itself runs on to its next `yield`, and speaks a
 * whole piece that nobody hears.
 * @param signal of the caller. @param make is given the signal that ends the work.
 */
export function stoppable<T>(
  signal: AbortSignal | undefined,
  make: (signal: AbortSignal) => AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  const stop = new AbortController();
  const generator = make(signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]));
  const next = async (): Promise<IteratorResult<T, void>> => {
    try {
      return await generator.next();
    } catch (error) {
      // Who stops it does not hear that it was stopped.
      if (stop.signal.aborted) return { done: true, value: undefined };
      throw error;
    }
  };
  const end = async (): Promise<IteratorResult<T, void>> => {
    stop.abort();
    await generator.return();
    return { done: true, value: undefined };
  };
  return {
    next,
    return: end,
    throw: async (error: unknown) => {
      await end();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await end();
    },
  };
}
