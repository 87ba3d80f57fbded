import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { choiceFlag, parseCommandLine } from "../../../cli/command_line.ts";
import { EngineError } from "../../../engine/errors.ts";
import { openGpu } from "../../../engine/gpu.ts";
import { checkSelection } from "../../kernels/command.ts";
import type { PeerEngine } from "../../kernels/peer.ts";
import { runKernels } from "../../kernels/run_all.ts";
import { headerLine, resultLine, rooflineLine } from "../../kernels/table.ts";
import { describeMachine } from "../../measure/machine.ts";
import { plotKernels } from "../../report/kernels_plot.ts";
import type { KernelReport } from "../../report/reports.ts";
import { requirePlot, writePlot } from "../../report/write.ts";
import { jaxPeer } from "./jaxjs.ts";
import { ortWebPeer } from "./ort_web.ts";
import { tfjsPeer } from "./tfjs.ts";

const folder = fileURLToPath(new URL("..", import.meta.url));
const engines = { "onnxruntime-web": ortWebPeer, "jax-js": jaxPeer, tfjs: tfjsPeer };
type Engine = keyof typeof engines;
const names = Object.keys(engines) as Engine[];

export const usage = `npm run bench:peers -- kernels [OP…]
                            the ladders of \`bark bench kernels\` with the kernels of other engines as their last rungs: what each
                            of them dispatches for the op, replayed and timed as ours are
  --peers A,B               of ${names.join(", ")}
  --shape PART              only shapes whose description holds PART
  --cpu, --device NAME, --plot FILE.svg, --json
                            as of \`bark bench kernels\`
`;

/** `npm run bench:peers -- kernels [OP…]`. The exit code is 1 if a version of ours fails or is wrong. */
export async function benchPeerKernels(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine("bench peers kernels", args, {
    peers: { type: "string" },
    shape: { type: "string" },
    device: { type: "string" },
    cpu: { type: "boolean" },
    json: { type: "boolean" },
    plot: { type: "string" },
  });
  const wanted = values.peers?.split(",").map((name) => choiceFlag("peers", name, names)!) ?? names;
  const plot = await requirePlot(values.plot);
  const clock = values.cpu === true ? ("cpu" as const) : undefined;
  const selection = { ops: positionals, shape: values.shape ?? "", format: "f32" as const, clock };
  checkSelection(selection);
  if (!existsSync(path.join(folder, "node_modules")))
    throw new EngineError("usage", "no peers are installed", { fix: "npm install --prefix bench/peers" });
  const gpu = await openGpu(values.device === undefined ? {} : { device: values.device });
  const print = values.json ? () => undefined : (line: string) => void process.stdout.write(`${line}\n`);
  const machine = describeMachine(gpu);
  print(`${machine.adapter} on ${machine.processor}, ${machine.runtime}; weights f32`);
  const peers: PeerEngine[] = [];
  for (const name of wanted)
    try {
      peers.push(await engines[name](folder, values.device));
    } catch (error) {
      process.stderr.write(`bench: ${name}: no figure: ${(error as Error).message.split("\n")[0]}\n`);
    }
  const measured = await runKernels(
    gpu,
    selection,
    {
      onRoofline: (roofline) => print(`${rooflineLine(roofline)}\n${headerLine}`),
      onResult: (...rungs) => print(resultLine(...rungs)),
    },
    { peers },
  );
  gpu.dispose();
  const report: KernelReport = { command: "kernels", args, format: "f32", peers: true, machine, ...measured };
  await writePlot(plot, () => plotKernels(report));
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  const ours = measured.results.filter(({ version }) => !version.endsWith("(peer)"));
  return ours.every(({ correct }) => correct) ? 0 : 1;
}
