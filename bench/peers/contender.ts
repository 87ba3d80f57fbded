import type { Work } from "../measure/work.ts";

/** An engine that does a work, ready to do it again and again. */
export interface Prepared {
  /** What computes it: an adapter's name, or a processor. */
  readonly device: string;
  /** Does the work once and gives its result in host memory: [rows, width], or audio [samples]. */
  readonly run: () => Promise<ArrayLike<number>>;
}

/** @param folder where peers are installed. @param device our name for the adapter. */
export type Prepare = (work: Work, folder: string, device: string | undefined) => Promise<Prepared>;

/** What a worker answers once it did the work for the first time, shaders compiled and all. */
export interface ReadyMessage {
  readonly device: string;
  readonly version: string;
  /** Milliseconds. */
  readonly load: number;
  readonly first: number;
  /** Some of the result, to hold against the other contenders'. */
  readonly sample: readonly number[];
}

export interface RunMessage {
  readonly milliseconds: number;
}

/** Up to 64 values, evenly taken. */
export function sampleValues(values: ArrayLike<number>): number[] {
  const count = Math.min(64, values.length);
  return Array.from({ length: count }, (_, i) => values[Math.floor((i * values.length) / count)]);
}
