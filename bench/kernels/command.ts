import { choiceFlag, numberFlag, parseCommandLine } from "../../cli/command_line.ts";
import { didYouMean } from "../../engine/check/nearest_name.ts";
import { EngineError } from "../../engine/errors.ts";
import { describeProcessor, type Machine } from "../measure/machine.ts";
import { plotKernels } from "../report/kernels_plot.ts";
import { requirePlot, writePlot } from "../report/write.ts";
import type { KernelReport } from "../report/reports.ts";
import { loadOwnKernels } from "./own/load_own.ts";
import { measureApart } from "./process/measure.ts";
import { allOps, selectCases, type KernelMeasurements, type KernelSelection } from "./run_all.ts";
import { headerLine, resultLine, rooflineLine } from "./table.ts";

type Measured = KernelMeasurements & { readonly machine: Machine };

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
  if (values["in-chromium"] === true) {
    if (values.device !== undefined)
      throw new EngineError("usage", "Chromium takes its own adapter", { where: "--device", fix: "leave it out" });
    for (const flag of ["with", "cpu"] as const)
      if (values[flag] !== undefined)
        throw new EngineError("usage", "runs in this runtime alone", {
          where: `--${flag}`,
          fix: "leave out --in-chromium",
        });
  }
  // Once here, so that a wrong file is refused before a process starts and measures the roofline.
  if (values.with !== undefined) await loadOwnKernels(values.with);
  const print = values.json ? () => undefined : (line: string) => void process.stdout.write(`${line}\n`);
  const job = { selection, device: values.device, own: values.with };
  const measured =
    values["in-chromium"] === true
      ? await measureInChromium(selection, print)
      : await measureApart(
          job,
          { limit: limit * 1000, signal },
          {
            onMachine: ({ adapter, processor, runtime }) =>
              print(`${adapter} on ${processor}, ${runtime}; weights ${format}`),
            onRoofline: (roofline) => print(`${rooflineLine(roofline)}\n${headerLine}`),
            onResult: (...rungs) => print(resultLine(...rungs)),
          },
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

async function measureInChromium(selection: KernelSelection, print: (line: string) => void): Promise<Measured> {
  // Only here: without Chromium's packages the bench runs in Node all the same.
  const { runInChromium } = await import("./in_chromium.ts");
  print(headerLine);
  const { adapter, software, features, runtime, ...measured } = await runInChromium(selection, print);
  const machine = { ...describeProcessor(), runtime, adapter, software, features };
  print(`${adapter} on ${machine.processor}, ${runtime}; weights ${selection.format}`);
  return { machine, ...measured };
}
