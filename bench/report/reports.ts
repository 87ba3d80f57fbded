import type { KernelResult } from "../kernels/run.ts";
import type { Machine } from "../measure/machine.ts";
import type { Summary } from "../measure/statistics.ts";
import type { Roofline } from "../roofline/roofline.ts";
import type { Work } from "../measure/work.ts";

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
  /** What the runtime's own calls take, of one dispatch. */
  readonly microsecondsOfCalls: Readonly<Record<"pipeline" | "bindGroup" | "dispatch", number>>;
}

/** What `bench kernels --json` prints. */
export interface KernelReport {
  readonly command: "kernels";
  readonly args: readonly string[];
  readonly machine: Machine;
  readonly format: "f32" | "f16" | "q8";
  /** Whether it is of `bench:peers -- kernels`: with kernels of other engines. */
  readonly peers?: true;
  readonly roofline: Roofline;
  readonly results: readonly KernelResult[];
}

/** One contender at one work. */
export interface PeerResult {
  /** `ours`, or the name of an engine of bench/peers. */
  readonly peer: string;
  readonly label: string;
  readonly version?: string;
  readonly device?: string;
  /** Milliseconds to make it ready (weights included), of the first run, and of those after it. */
  readonly load?: number;
  readonly first?: number;
  readonly milliseconds?: Summary;
  /** Its time by ours, round by round. */
  readonly ratio?: Summary;
  /** Largest difference of its result from ours as a share of the largest value. */
  readonly difference?: number;
  /** Why there is no figure. */
  readonly error?: string;
}

/** What `bench peers --json` prints. */
export interface PeersReport {
  readonly command: "peers";
  readonly args: readonly string[];
  readonly machine: Machine;
  readonly works: readonly { readonly work: Work; readonly results: readonly PeerResult[] }[];
}
