import type { Machine } from "../measure/machine.ts";
import type { Roofline } from "../roofline/roofline.ts";
import type { KernelResult } from "./run.ts";

/** What `bench kernels --json` prints. */
export interface KernelReport {
  readonly command: "kernels";
  readonly args: readonly string[];
  readonly machine: Machine;
  readonly format: "f32" | "f16" | "q8";
  readonly roofline: Roofline;
  readonly results: readonly KernelResult[];
}
