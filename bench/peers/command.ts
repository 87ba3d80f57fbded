import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { choiceFlag, numberFlag, parseCommandLine } from "../../cli/command_line.ts";
import { EngineError } from "../../engine/errors.ts";
import { openGpu } from "../../engine/gpu.ts";
import { describeMachine, type Machine } from "../measure/machine.ts";
import { plotPeers } from "../report/peers_plot.ts";
import { requirePlot, writePlot } from "../report/write.ts";
import type { PeerResult } from "../report/reports.ts";
import { compare, peerLine, type PeerName } from "./compare.ts";
import { contenders } from "./engines/contenders.ts";
import { benchPeerKernels, usage as kernelsUsage } from "./kernels/command.ts";
import type { PeersReport } from "../report/reports.ts";
import { describeWork, worksOf, type Work } from "../measure/work.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));
const allPeers = [...Object.keys(contenders), "torch"] as PeerName[];

const usage = `npm run bench:peers -- [WORK…]    the same work by other engines, in turns; WORK: decode, prefill, pass, codec75, codec750
                            first: npm install --prefix bench/peers (500 MB)
  --peers A,B               of ours, floor, ort-webgpu, ort-webgpu-plain, ort-cpu, ort-web, jax-js, tfjs, torch
  --layers N, --rounds N    default: 12 and 7
  --against FOLDER          also another checkout of ours (git worktree add, npm ci): what a change did to the speed
  --python FILE             the Python that has PyTorch (default: python3)
  --device NAME             part of an adapter's name; "software" forces the software adapter
  --plot FILE.svg           also draw what was measured
  --json                    one line of JSON on standard output instead of tables
`;

/** `npm run bench:peers -- [WORK…]`. */
export async function benchPeers(
  args: readonly string[],
  interrupt?: { readonly signal: AbortSignal },
): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(`${usage}\n${kernelsUsage}`);
    return 0;
  }
  if (args[0] === "kernels") return await benchPeerKernels(args.slice(1), interrupt?.signal);
  const { values, positionals } = parseCommandLine("bench peers", args, {
    peers: { type: "string" },
    layers: { type: "string" },
    rounds: { type: "string" },
    device: { type: "string" },
    python: { type: "string" },
    against: { type: "string" },
    json: { type: "boolean" },
    plot: { type: "string" },
  });
  const plot = await requirePlot(values.plot);
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 1;
  const layers = numberFlag("layers", values.layers, isCount, "an integer ≥ 1") ?? 12;
  const rounds = numberFlag("rounds", values.rounds, isCount, "an integer ≥ 1") ?? 7;
  const works = worksOf(layers);
  for (const name of positionals)
    choiceFlag(
      "work",
      name,
      works.map((work) => work.name),
    );
  const against = values.against === undefined ? undefined : path.resolve(values.against);
  if (against !== undefined && !existsSync(path.join(against, "bench/peers/worker.ts")))
    throw new EngineError("usage", "is no checkout of bark-webgpu", { where: `--against ${values.against}` });
  const chosen = works.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const wanted = values.peers?.split(",").map((name) => choiceFlag("peers", name, allPeers)!) ?? allPeers;
  if (process.versions.deno !== undefined)
    throw new EngineError("usage", "peers run in Node alone", {
      where: "bench peers",
      fix: "npm run bench:peers",
    });
  if (!existsSync(path.join(folder, "node_modules")))
    throw new EngineError("usage", "no peers are installed", { fix: "npm install --prefix bench/peers" });
  const request = values.device === undefined ? {} : { device: values.device };
  const gpu = await openGpu(request);
  const machine = describeMachine(gpu);
  gpu.dispose();
  const print = values.json ? () => undefined : (line: string) => process.stdout.write(`${line}\n`);
  print(
    `${machine.adapter}; ${machine.processor}, ${machine.runtime}; f32; ratio: a peer's time by ours in the same round`,
  );
  const compared: { work: Work; results: PeerResult[] }[] = [];
  for (const work of chosen) {
    const results = await compare(work, {
      peers: [...peersFor(work, wanted, machine), ...(against === undefined ? [] : (["before"] as const))],
      folder,
      device: values.device,
      adapterName: machine.adapter,
      python: values.python ?? process.env["BARK_BENCH_PYTHON"] ?? "python3",
      against,
      rounds,
      enough: 90_000,
      onNote: (line) => process.stderr.write(`bench: ${line}\n`),
    });
    print(describeWork(work));
    for (const result of results) print(peerLine(result));
    compared.push({ work, results });
  }
  await rm(path.join(folder, "data"), { recursive: true, force: true });
  const report: PeersReport = { command: "peers", args, machine, works: compared };
  await writePlot(plot, () => plotPeers(report));
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  return 0;
}

/** Ours first. Chromium takes SwiftShader where there is no GPU, and never another software adapter. */
function peersFor(work: Work, wanted: readonly PeerName[], { adapter, software }: Machine): PeerName[] {
  const others = wanted.filter((peer) => {
    if (peer === "ours") return false;
    if (peer === "floor") return work.kind === "gpt" && work.rows === 1;
    if (peer === "ort-webgpu-plain") return work.kind === "gpt";
    return peer !== "ort-web" || !software || /swiftshader/i.test(adapter);
  });
  return ["ours", ...others];
}
