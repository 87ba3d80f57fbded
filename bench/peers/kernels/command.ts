import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { choiceFlag, numberFlag, parseCommandLine } from "../../../cli/command_line.ts";
import { EngineError } from "../../../engine/errors.ts";
import { checkSelection, refuseInChromium, tableListener } from "../../kernels/command.ts";
import { startInChromium } from "../../kernels/in_chromium.ts";
import { measureApart } from "../../kernels/process/measure.ts";
import { startModule } from "../../kernels/process/start_child.ts";
import { plotKernels } from "../../report/kernels_plot.ts";
import type { KernelReport } from "../../report/reports.ts";
import { requirePlot, writePlot } from "../../report/write.ts";
import { engineNames } from "./start_engine.ts";

/** Seconds of one run, or of one copy of an engine's operation, after which it counts as one that does not end. */
const usualLimit = 600;

export const usage = `npm run bench:peers -- kernels [OP…]
                            the ladders of \`bark bench kernels\` with the kernels of other engines as their last rungs: what each
                            of them dispatches for the op, replayed and timed as ours are
  --peers A,B               of ${engineNames.join(", ")}
  --shape PART              only shapes whose description holds PART
  --limit SECONDS           a run of a kernel that takes longer is ended, and the next goes on (default: ${usualLimit})
  --cpu, --device NAME, --in-chromium, --plot FILE.svg, --json
                            as of \`bark bench kernels\`
`;

/** `npm run bench:peers -- kernels [OP…]`. The exit code is 1 if a version of ours fails or is wrong. */
export async function benchPeerKernels(args: readonly string[], signal?: AbortSignal): Promise<number> {
  const { values, positionals } = parseCommandLine("bench peers kernels", args, {
    peers: { type: "string" },
    shape: { type: "string" },
    device: { type: "string" },
    limit: { type: "string" },
    cpu: { type: "boolean" },
    "in-chromium": { type: "boolean" },
    json: { type: "boolean" },
    plot: { type: "string" },
  });
  const peers = values.peers?.split(",").map((name) => choiceFlag("peers", name, engineNames)!) ?? engineNames;
  const plot = await requirePlot(values.plot);
  const limit = numberFlag("limit", values.limit, (value) => value > 0, "a number of seconds") ?? usualLimit;
  const clock = values.cpu === true ? ("cpu" as const) : undefined;
  const selection = { ops: positionals, shape: values.shape ?? "", format: "f32" as const, clock };
  checkSelection(selection);
  const inChromium = values["in-chromium"] === true;
  if (inChromium) refuseInChromium(values);
  if (!existsSync(fileURLToPath(new URL("../node_modules", import.meta.url))))
    throw new EngineError("usage", "no peers are installed", { fix: "npm install --prefix bench/peers" });
  const measured = await measureApart(
    inChromium ? startInChromium("/bench/peers/kernels/in_page.ts") : startModule(new URL("./child", import.meta.url)),
    { selection, device: values.device, own: [], peers },
    { limit: limit * 1000, signal },
    tableListener(values.json === true, "f32"),
  );
  const report: KernelReport = { command: "kernels", args, format: "f32", peers: true, ...measured };
  await writePlot(plot, () => plotKernels(report));
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  const ours = measured.results.filter(({ version }) => !version.endsWith("(peer)"));
  return ours.every(({ correct }) => correct) ? 0 : 1;
}
