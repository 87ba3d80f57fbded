import type { Machine } from "../measure/machine.ts";
import type { Summary } from "../measure/statistics.ts";

/** What `bench encode --json` prints. */
export interface EncodeReport {
  readonly command: "encode";
  readonly args: readonly string[];
  readonly machine: Machine;
  readonly layers: number;
  readonly stepsPerSubmit: number;
  /** Of one step. */
  readonly dispatches: number;
  /** Of one step. */
  readonly milliseconds: Summary;
}
