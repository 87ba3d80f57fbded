import type { Gpu } from "../../engine/gpu.ts";
import type { AnyKernel } from "../../engine/kernel.ts";
import { allKernels } from "../../kernels/index.ts";
import { labKernels } from "../../kernels/lab.ts";
import { deviceNeeds } from "../../kernels/version.ts";
import type { MatrixFormat } from "../../engine/dtypes.ts";
import { usualEffort } from "../measure/stopwatch.ts";
import { measureRoofline, type Roofline } from "../roofline/roofline.ts";
import { allCases } from "./cases/all.ts";
import type { KernelCase } from "./cases/case.ts";
import type { OwnKernel, OwnRung } from "./own/own_kernel.ts";
import type { PeerEngine } from "./peer.ts";
import { timedBefore } from "./ladder.ts";
import { runCase, type KernelResult } from "./run.ts";

/** What to run. */
export interface KernelSelection {
  /** Ops; none: all. */
  readonly ops: readonly string[];
  /** A part of the shape's description; empty: any. */
  readonly shape: string;
  readonly format: MatrixFormat;
  /** Another clock than the adapter's. */
  readonly clock?: "cpu" | undefined;
}

export interface KernelMeasurements {
  readonly roofline: Roofline;
  readonly results: readonly KernelResult[];
}

/** Told what is found as it is found. */
export interface KernelListener {
  readonly onRoofline: (roofline: Roofline) => void;
  /**
   * @param first the plainest version at this shape.
   * @param before the last version before this one that was timed there.
   */
  readonly onResult: (result: KernelResult, first: KernelResult, before: KernelResult | undefined) => void;
  /** Told the rung that is run next. */
  readonly onRung?: (kernelCase: KernelCase, version: string, own: OwnRung | undefined) => Promise<void>;
  readonly onBatch?: () => void;
}

/** Rungs that are not the repository's, and where to go on. */
interface Further {
  readonly own?: readonly OwnKernel[];
  readonly peers?: readonly PeerEngine[];
  readonly resumed?: Resumed | undefined;
}

/** Where to go on, after a run that ended on the way. */
export interface Resumed {
  readonly roofline: Roofline;
  readonly results: readonly KernelResult[];
}

export const allOps: readonly string[] = [...new Set(allCases.map(({ op }) => op))];

export function selectCases({ ops, shape }: KernelSelection): KernelCase[] {
  return allCases.filter((c) => (ops.length === 0 || ops.includes(c.op)) && c.shape.includes(shape));
}

/** A line for each kernel of these ops (none: all) that a device cannot run: a ladder is not shorter in silence. */
export function leftOut(gpu: Pick<Gpu, "supports">, ops: readonly string[]): string[] {
  const isWanted = ({ name }: AnyKernel): boolean => ops.length === 0 || ops.some((op) => name.startsWith(op));
  return [...allKernels, ...labKernels]
    .filter((kernel) => isWanted(kernel) && !gpu.supports(kernel))
    .map((kernel) => `${kernel.name}: left out; it needs ${deviceNeeds(kernel)}`);
}

/** Measures the roofline, then checks and times every version of every case that is selected. */
export async function runKernels(
  gpu: Gpu,
  selection: KernelSelection,
  { onRoofline, onResult, onRung, onBatch }: KernelListener,
  { own = [], peers = [], resumed }: Further = {},
): Promise<KernelMeasurements> {
  const { format, clock } = selection;
  const roofline = resumed?.roofline ?? (await measureRoofline(gpu, usualEffort, undefined, clock));
  if (resumed === undefined) onRoofline(roofline);
  const results: KernelResult[] = [...(resumed?.results ?? [])];
  const last = results.at(-1);
  const cases = selectCases(selection);
  // Cases run in order: those before the one of the last result are done.
  const misfits = new Map(own.map(({ version }) => [version, ""]));
  const from = cases.findIndex(({ op, shape }) => op === last?.op && shape === last.shape);
  for (const kernelCase of cases.slice(Math.max(0, from))) {
    const ladder = results.filter(({ op, shape }) => op === kernelCase.op && shape === kernelCase.shape);
    const options = {
      format,
      roofline,
      effort: usualEffort,
      clock,
      own,
      peers,
      skip: new Set(ladder.map(({ version }) => version)),
      onRung: async (version: string, rung: OwnRung | undefined) => await onRung?.(kernelCase, version, rung),
      onMisfit: ({ version }: OwnKernel, why: string) => misfits.set(version, why),
      onBatch: () => onBatch?.(),
    };
    for await (const result of runCase(gpu, kernelCase, options)) {
      ladder.push(result);
      results.push(result);
      onResult(result, ladder[0], timedBefore(ladder, ladder.length - 1));
    }
  }
  // One that ran nowhere must not look as if it had not been given.
  const unplaced = own.filter(({ version }) => !results.some((result) => result.version === version));
  for (const { version } of unplaced) {
    const [{ op }, failed = ""] = [cases[0], misfits.get(version)];
    const result = { op, shape: "", version, chosen: false, error: Infinity, correct: false, failed };
    results.push(result);
    onResult(result, result, undefined);
  }
  return { roofline, results };
}
