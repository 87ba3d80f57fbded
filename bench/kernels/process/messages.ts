import type { ErrorCode } from "../../../engine/errors.ts";
import type { Machine } from "../../measure/machine.ts";
import type { Roofline } from "../../roofline/roofline.ts";
import type { KernelResult } from "../run.ts";
import type { KernelSelection, Resumed } from "../run_all.ts";

/** What the process that measures is told to do. */
export interface Job {
  readonly selection: KernelSelection;
  readonly device: string | undefined;
  /** The value of `--with`. */
  readonly own: string | undefined;
  readonly resumed: Resumed | undefined;
}

/** What it tells. */
export type Told =
  | { readonly kind: "machine"; readonly machine: Machine }
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
  /** Where an own kernel's text is. */
  readonly source?: string;
}
