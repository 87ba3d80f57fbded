import type { KernelResult } from "./run.ts";

/** The last rung below `index` of a ladder that has a time. */
export function timedBefore(ladder: readonly KernelResult[], index: number): KernelResult | undefined {
  return ladder.slice(0, index).findLast(({ timing }) => timing !== undefined);
}
