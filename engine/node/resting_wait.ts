import { setImmediate } from "node:timers/promises";

const cell = new Int32Array(new SharedArrayBuffer(4));
/** The thread sleeps for this share of the time that it has waited so far, */
const share = 1 / 16;
/** but for at most this many milliseconds, because the rest of the event loop waits meanwhile. */
const longest = 1;

/**
 * Waits for the GPU. Dawn in Node looks for finished work on every turn of the event loop and so keeps a core busy while
 * anything is waited for; a software adapter computes on that core. Here the thread sleeps between two turns.
 */
export async function restingWait<T>(work: Promise<T>): Promise<T> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  work.then(settle, settle);
  const start = performance.now();
  while (!settled) {
    await setImmediate();
    if (!settled) Atomics.wait(cell, 0, 0, Math.min(longest, share * (performance.now() - start)));
  }
  return await work;
}
