import { spreadOf } from "../measure/statistics.ts";
import type { Roofline } from "../roofline/roofline.ts";
import type { KernelResult } from "./run.ts";

const widths = { op: 16, shape: 34, version: 24 };

export const headerLine =
  `${"op".padEnd(widths.op)} ${"shape".padEnd(widths.shape)} ${"version (* chosen)".padEnd(widths.version)} ` +
  "      ms    ±    GFLOP/s   GB/s  of what bounds     gain   step  error";

export function rooflineLine({ gigabytesPerSecond, gigaflops, dispatchMicroseconds }: Roofline): string {
  return `roofline: loads ${gigabytesPerSecond.toFixed(1)} GB/s, arithmetic ${gigaflops.toFixed(1)} GFLOP/s, a dispatch ${dispatchMicroseconds.toFixed(1)} µs`;
}

/**
 * One line of the table.
 * @param first the plainest version at this shape: the base of the gain.
 * @param before the rung before: the base of the step.
 */
export function resultLine(result: KernelResult, first: KernelResult, before: KernelResult | undefined): string {
  const { op, shape, version, chosen, error, timing, failed } = result;
  const name = `${op.padEnd(widths.op)} ${shape.padEnd(widths.shape)} ${`${version}${chosen ? " *" : ""}`.padEnd(widths.version)} `;
  if (failed !== undefined) return `${name} FAILED: ${failed}`;
  if (timing === undefined) return `${name} WRONG: off by ${error.toExponential(1)} of the largest value; not timed`;
  const { milliseconds } = timing;
  return (
    name +
    [
      milliseconds.median.toPrecision(3).padStart(8),
      `${(spreadOf(milliseconds) * 100).toFixed(0)}%`.padStart(4),
      (result.gigaflops ?? 0).toFixed(1).padStart(10),
      (result.gigabytesPerSecond ?? 0).toFixed(2).padStart(7),
      `${((result.share ?? 0) * 100).toFixed(0)}% ${result.bound ?? ""}`.padStart(15),
      gainText(result, first).padStart(8),
      gainText(result, before).padStart(6),
      error.toExponential(0).padStart(6),
      ...(result.notice === undefined ? [] : [` (${result.notice})`]),
    ].join(" ")
  );
}

/** The time of `other` by that of a result; nothing where there is none. */
export function gainText({ timing }: KernelResult, other: KernelResult | undefined): string {
  if (timing === undefined || other?.timing === undefined) return "";
  return `${(other.timing.milliseconds.median / timing.milliseconds.median).toFixed(2)}×`;
}
