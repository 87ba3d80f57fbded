import type { Gpu } from "../../engine/gpu.ts";
import type { MatrixFormat } from "../../engine/dtypes.ts";
import { usualEffort } from "../measure/stopwatch.ts";
import { measureRoofline, type Roofline } from "../roofline/roofline.ts";
import { allCases } from "./cases.ts";
import type { KernelCase } from "./case.ts";
import { runCase, type KernelResult } from "./run.ts";

/** What to run. */
export interface KernelSelection {
  /** Ops; none: all. */
  readonly ops: readonly string[];
  /** A part of the shape's description; empty: any. */
  readonly shape: string;
  readonly format: MatrixFormat;
}

export interface KernelMeasurements {
  readonly roofline: Roofline;
  readonly results: readonly KernelResult[];
}

/** Told what is found as it is found. */
export interface KernelListener {
  readonly onRoofline: (roofline: Roofline) => void;
  /** @param first the plainest version at this shape. */
  readonly onResult: (result: KernelResult, first: KernelResult) => void;
}

export const allOps: readonly string[] = [...new Set(allCases.map(({ op }) => op))];

export function selectCases({ ops, shape }: KernelSelection): KernelCase[] {
  return allCases.filter((c) => (ops.length === 0 || ops.includes(c.op)) && c.shape.includes(shape));
}

/** Measures the roofline, then checks and times every version of every case that is selected. */
export async function runKernels(
  gpu: Gpu,
  selection: KernelSelection,
  { onRoofline, onResult }: KernelListener,
): Promise<KernelMeasurements> {
  const { format } = selection;
  const roofline = await measureRoofline(gpu, usualEffort);
  onRoofline(roofline);
  const results: KernelResult[] = [];
  for (const kernelCase of selectCases(selection)) {
    let first: KernelResult | undefined;
    for await (const result of runCase(gpu, kernelCase, { format, roofline, effort: usualEffort })) {
      first ??= result;
      onResult(result, first);
      results.push(result);
    }
  }
  return { roofline, results };
}
