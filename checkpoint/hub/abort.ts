const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back when the signal says so, until the function that it gives is called. Node warns of a leak where more than ten
 * wait for a signal, and many small files are fetched at once: this waits for each signal once.
 */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (signal === undefined) return () => undefined;
  if (signal.aborted) callback();
  let callbacks = listeners.get(signal);
  if (callbacks === undefined) {
    const all = new Set<() => void>();
    callbacks = all;
    listeners.set(signal, all);
    signal.addEventListener("abort", () => all.forEach((each) => each()), { once: true });
  }
  callbacks.add(callback);
  return () => callbacks.delete(callback);
}
