import { choiceFlag, parseCommandLine } from "../../cli/command_line.ts";
import { EngineError } from "../../engine/errors.ts";
import { openGpu } from "../../engine/gpu.ts";
import { describeMachine, describeProcessor, type Machine } from "../measure/machine.ts";
import { plotKernels } from "../report/kernels_plot.ts";
import { requirePlot, writePlot } from "../report/write.ts";
import type { KernelReport } from "../report/reports.ts";
import { allOps, runKernels, selectCases, type KernelMeasurements, type KernelSelection } from "./run_all.ts";
import { headerLine, resultLine, rooflineLine } from "./table.ts";

type Measured = KernelMeasurements & { readonly machine: Machine };

/** `bark bench kernels [OP…]`. The exit code is 1 if a version does not agree with its reference. */
export async function benchKernels(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine("bench kernels", args, {
    shape: { type: "string" },
    dtype: { type: "string" },
    device: { type: "string" },
    "in-chromium": { type: "boolean" },
    json: { type: "boolean" },
    plot: { type: "string" },
  });
  const plot = await requirePlot(values.plot);
  const format = choiceFlag("dtype", values.dtype, ["f32", "f16", "q8"]) ?? "f32";
  const selection = { ops: positionals, shape: values.shape ?? "", format };
  if (selectCases(selection).length === 0)
    throw new EngineError("usage", "no such op or shape", {
      where: [...positionals, values.shape ?? ""].join(" ").trim(),
      fix: `ops: ${allOps.join(", ")}`,
    });
  if (format === "q8" && positionals.join() !== "matmul")
    throw new EngineError("usage", "only matmul has q8 weights", { where: "--dtype q8", fix: "bench kernels matmul" });
  if (values["in-chromium"] === true && values.device !== undefined)
    throw new EngineError("usage", "Chromium takes its own adapter", { where: "--device", fix: "leave it out" });
  const print = values.json ? () => undefined : (line: string) => void process.stdout.write(`${line}\n`);
  const measured =
    values["in-chromium"] === true
      ? await measureInChromium(selection, print)
      : await measureHere(selection, values.device, print);
  const report: KernelReport = { command: "kernels", args, format, ...measured };
  await writePlot(plot, () => plotKernels(report));
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  return report.results.every(({ correct }) => correct) ? 0 : 1;
}

async function measureHere(
  selection: KernelSelection,
  device: string | undefined,
  print: (line: string) => void,
): Promise<Measured> {
  const gpu = await openGpu(device === undefined ? {} : { device });
  try {
    const machine = describeMachine(gpu);
    print(`${machine.adapter} on ${machine.processor}, ${machine.runtime}; weights ${selection.format}`);
    const measured = await runKernels(gpu, selection, {
      onRoofline: (roofline) => print(`${rooflineLine(roofline)}\n${headerLine}`),
      onResult: (result, first) => print(resultLine(result, first)),
    });
    return { machine, ...measured };
  } finally {
    gpu.dispose();
  }
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
