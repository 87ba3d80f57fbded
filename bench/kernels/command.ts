import { choiceFlag, numberFlag, parseCommandLine } from "../../cli/command_line.ts";
import { didYouMean } from "../../engine/check/nearest_name.ts";
import { EngineError } from "../../engine/errors.ts";
import { plotKernels } from "../report/kernels_plot.ts";
import { requirePlot, writePlot } from "../report/write.ts";
import type { KernelReport } from "../report/reports.ts";
import { loadOwn } from "./own/load_own.ts";
import { ownFiles } from "./own/own_files.ts";
import { measureApart, type ApartListener } from "./process/measure.ts";
import { startChild } from "./process/start_child.ts";
import { allOps, selectCases, type KernelSelection } from "./run_all.ts";
import { headerLine, resultLine, rooflineLine } from "./table.ts";

/** Seconds of one run of a kernel after which it counts as one that does not end. */
const usualLimit = 60;

/** `bark bench kernels [OP…]`. The exit code is 1 if a version fails or does not agree with its reference. */
export async function benchKernels(args: readonly string[], signal?: AbortSignal): Promise<number> {
  const { values, positionals } = parseCommandLine("bench kernels", args, {
    shape: { type: "string" },
    dtype: { type: "string" },
    device: { type: "string" },
    with: { type: "string" },
    limit: { type: "string" },
    cpu: { type: "boolean" },
    "in-chromium": { type: "boolean" },
    json: { type: "boolean" },
    plot: { type: "string" },
  });
  const plot = await requirePlot(values.plot);
  const format = choiceFlag("dtype", values.dtype, ["f32", "f16", "q8"]) ?? "f32";
  const limit = numberFlag("limit", values.limit, (value) => value > 0, "a number of seconds") ?? usualLimit;
  const clock = values.cpu === true ? ("cpu" as const) : undefined;
  const selection = { ops: positionals, shape: values.shape ?? "", format, clock };
  checkSelection(selection);
  const inChromium = values["in-chromium"] === true;
  if (inChromium) refuseInChromium(values);
  const own = values.with === undefined ? [] : await ownFiles(values.with);
  // Once here, so that a wrong file is refused before a process starts and measures the roofline.
  await loadOwn(own);
  const measured = await measureApart(
    // Only when asked: without Chromium's packages the bench runs in Node all the same.
    inChromium ? (await import("./in_chromium.ts")).startInChromium("/bench/kernels/in_page.ts") : startChild,
    { selection, device: values.device, own },
    { limit: limit * 1000, signal },
    tableListener(values.json === true, format),
  );
  const report: KernelReport = { command: "kernels", args, format, ...measured };
  await writePlot(plot, () => plotKernels(report));
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  return report.results.every(({ correct }) => correct) ? 0 : 1;
}

/** @throws EngineError `usage` for an op or a shape that there is not. */
export function checkSelection({ ops, shape, format }: KernelSelection): void {
  const unknown = ops.find((op) => !allOps.includes(op));
  if (unknown !== undefined)
    throw new EngineError("usage", "no such op", {
      where: unknown,
      expected: allOps.join(", "),
      actual: unknown,
      fix: didYouMean(unknown, allOps) ?? "name one of these",
    });
  if (selectCases({ ops, shape, format }).length === 0)
    throw new EngineError("usage", "no such shape", {
      where: `--shape ${shape}`,
      fix: `a part of one of: ${selectCases({ ops, shape: "", format })
        .map((kernelCase) => kernelCase.shape)
        .join("; ")}`,
    });
  if (format === "q8" && ops.join() !== "matmul")
    throw new EngineError("usage", "only matmul has q8 weights", { where: "--dtype q8", fix: "bench kernels matmul" });
}

/** @throws EngineError `usage` for what Chromium does not have. */
export function refuseInChromium({ device, cpu }: { readonly device?: string; readonly cpu?: boolean }): void {
  if (device !== undefined)
    throw new EngineError("usage", "Chromium takes its own adapter", { where: "--device", fix: "leave it out" });
  if (cpu === true)
    throw new EngineError("usage", "Chromium computes in another process than this", {
      where: "--cpu",
      fix: "leave out --in-chromium",
    });
}

/** Prints the table line by line. */
export function tableListener(isSilent: boolean, format: string): ApartListener {
  const print = isSilent ? () => undefined : (line: string) => void process.stdout.write(`${line}\n`);
  return {
    onMachine: ({ adapter, processor, runtime }) => print(`${adapter} on ${processor}, ${runtime}; weights ${format}`),
    onNote: (line) => void process.stderr.write(`bark: ${line}\n`),
    onRoofline: (roofline) => print(`${rooflineLine(roofline)}\n${headerLine}`),
    onResult: (...rungs) => print(resultLine(...rungs)),
  };
}
