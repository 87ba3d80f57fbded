import { spreadOf } from "../measure/statistics.ts";
import type { Roofline } from "../roofline/roofline.ts";
import type { KernelResult } from "./run.ts";

const widths = { op: 16, shape: 34, version: 24 };

export const headerLine =
  `${"op".padEnd(widths.op)} ${"shape".padEnd(widths.shape)} ${"version (* chosen)".padEnd(widths.version)} ` +
  "      ms    ±    GFLOP/s   GB/s  roof     gain  error";

export function rooflineLine({ gigabytesPerSecond, gigaflops, dispatchMicroseconds }: Roofline): string {
  return `roofline: ${gigabytesPerSecond.toFixed(1)} GB/s, ${gigaflops.toFixed(1)} GFLOP/s; a dispatch costs ${dispatchMicroseconds.toFixed(1)} µs`;
}

/** One line of the table. @param first the plainest version at this shape: the base of the gain. */
export function resultLine(result: KernelResult, first: KernelResult): string {
  const { op, shape, version, chosen, error, timing } = result;
  const name = `${op.padEnd(widths.op)} ${shape.padEnd(widths.shape)} ${`${version}${chosen ? " *" : ""}`.padEnd(widths.version)} `;
  if (timing === undefined) return `${name} WRONG: off by ${error.toExponential(1)} of the largest value; not timed`;
  const { milliseconds } = timing;
  const gain = first.timing === undefined ? 1 : first.timing.milliseconds.median / milliseconds.median;
  return (
    name +
    [
      milliseconds.median.toPrecision(3).padStart(8),
      `${(spreadOf(milliseconds) * 100).toFixed(0)}%`.padStart(4),
      (result.gigaflops ?? 0).toFixed(1).padStart(10),
      (result.gigabytesPerSecond ?? 0).toFixed(2).padStart(7),
      `${((result.share ?? 0) * 100).toFixed(0)}%${result.bound === "compute" ? "C" : "B"}`.padStart(6),
      `${gain.toFixed(2)}×`.padStart(7),
      error.toExponential(0).padStart(6),
    ].join(" ")
  );
}
