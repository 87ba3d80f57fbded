import type { ErrorCode } from "../../../engine/errors.ts";
import type { MeasuredAdapter } from "../../measure/adapter.ts";
import type { Roofline } from "../../roofline/roofline.ts";
import type { OwnFile } from "../own/load_own.ts";
import type { KernelResult } from "../run.ts";
import type { KernelSelection, Resumed } from "../run_all.ts";

/** What a process, or a page, that measures is told to do. */
export interface Job {
  readonly selection: KernelSelection;
  readonly device: string | undefined;
  /** Own kernels, at addresses where it finds them. */
  readonly own: readonly OwnFile[];
  /** Other engines, of the benches that have some. */
  readonly peers?: readonly string[];
  readonly resumed: Resumed | undefined;
}

/** What it tells. */
export type Told =
  | { readonly kind: "adapter"; readonly adapter: MeasuredAdapter }
  /** Something of which there will be no figure. */
  | { readonly kind: "note"; readonly line: string }
  | { readonly kind: "roofline"; readonly roofline: Roofline }
  | { readonly kind: "rung"; readonly rung: StartedRung }
  | { readonly kind: "batch" }
  | { readonly kind: "result"; readonly result: KernelResult }
  | { readonly kind: "error"; readonly code: ErrorCode; readonly line: string }
  | { readonly kind: "done" };

/** A rung that was begun: what is known if its process ends with it. */
export interface StartedRung {
  readonly op: string;
  readonly shape: string;
  readonly version: string;
  /** Of an own kernel: where to look if it does not end. */
  readonly loops?: string;
}

/**
 * Starts a process, or a browser, that does a job. @param hear gets what it tells. @param gone is told how it ended, should
 * it end by itself.
 */
export type Start = (job: Job, hear: (told: Told) => void, gone: (how: string) => void) => Promise<Started>;

export interface Started {
  /** What it runs in, such as `Node 20.19.0`. */
  readonly runtime: string;
  /** Ends it, whatever it does. */
  readonly end: () => Promise<void>;
}
