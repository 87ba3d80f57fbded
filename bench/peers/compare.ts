import { fileURLToPath, pathToFileURL } from "node:url";
import { swiftShaderFolder } from "../../engine/node/software/software_adapter.ts";
import path from "node:path";
import { spreadOf, summarize } from "../measure/statistics.ts";
import { contenders, type ContenderName } from "./engines/contenders.ts";
import type { ReadyMessage, RunMessage } from "./contender.ts";
import { LineProcess } from "./line_process.ts";
import type { PeerResult } from "../report/reports.ts";
import { tensorsOf, type Work } from "../measure/work.ts";

/** `before`: ourselves, in another checkout. */
export type PeerName = ContenderName | "torch" | "before";

export interface CompareOptions {
  readonly peers: readonly PeerName[];
  readonly folder: string;
  readonly device: string | undefined;
  /** What the adapter that we take calls itself. */
  readonly adapterName: string;
  readonly python: string;
  /** The checkout of `before`. */
  readonly against: string | undefined;
  readonly rounds: number;
  /** Milliseconds after which no further round begins. */
  readonly enough: number;
  readonly onNote: (line: string) => void;
}

interface Runner {
  readonly peer: PeerName;
  readonly process: LineProcess;
  readonly ready: ReadyMessage;
  readonly samples: number[];
}

const labelOf = (peer: PeerName): string => {
  if (peer === "torch") return "PyTorch CPU";
  return peer === "before" ? "bark-webgpu before" : contenders[peer].label;
};

/** Lets everyone do the work in turns: ours, a peer, the next, ours again. The first is ours. */
export async function compare(work: Work, options: CompareOptions): Promise<PeerResult[]> {
  const runners: Runner[] = [];
  const failed = new Map<PeerName, string>();
  try {
    for (const peer of options.peers) {
      options.onNote(`${work.name}: ${labelOf(peer)}`);
      const worker = await startWorker(peer, work, options);
      try {
        runners.push({ peer, process: worker, ready: await worker.answer<ReadyMessage>(), samples: [] });
      } catch (error) {
        failed.set(peer, (error as Error).message);
        await worker.close();
      }
    }
    await runRounds(runners, failed, options);
  } finally {
    for (const { process } of runners) await process.close();
  }
  const ours = runners.find(({ peer }) => peer === "ours");
  return options.peers.map((peer) => {
    const runner = runners.find((candidate) => candidate.peer === peer);
    const error = failed.get(peer);
    if (runner === undefined || error !== undefined) return { peer, label: labelOf(peer), error: error ?? "" };
    return describeRunner(runner, ours);
  });
}

async function runRounds(
  runners: readonly Runner[],
  failed: Map<PeerName, string>,
  { rounds, enough }: CompareOptions,
): Promise<void> {
  const start = performance.now();
  // The first round after the one that compiles still warms caches and clocks up where a round is short.
  const fast = runners.every(({ ready }) => ready.first < 1000);
  for (let round = fast ? -1 : 0; round < rounds; round++) {
    if (round > 0 && performance.now() - start > enough) break;
    // There and back: who comes after whom must not be the same in every round.
    for (const { peer, process, samples } of round % 2 === 0 ? runners : [...runners].reverse()) {
      if (failed.has(peer)) continue;
      try {
        process.tell("run");
        const { milliseconds } = await process.answer<RunMessage>();
        if (round >= 0) samples.push(milliseconds);
      } catch (error) {
        failed.set(peer, (error as Error).message);
      }
    }
  }
}

function describeRunner({ peer, ready, samples }: Runner, ours: Runner | undefined): PeerResult {
  const { version, device, load, first, sample } = ready;
  const result = { peer, label: labelOf(peer), version, device, load, first, milliseconds: summarize(samples) };
  if (ours === undefined || peer === "ours" || ours.samples.length < samples.length) return result;
  return {
    ...result,
    ratio: summarize(samples.map((milliseconds, round) => milliseconds / ours.samples[round])),
    ...(peer === "floor" ? {} : { difference: differenceOf(sample, ours.ready.sample) }),
  };
}

function differenceOf(actual: readonly number[], expected: readonly number[]): number {
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(actual[i] - value))) / largest;
}

async function startWorker(peer: PeerName, work: Work, options: CompareOptions): Promise<LineProcess> {
  const env = await adapterEnvironment(options.adapterName);
  if (peer === "torch") {
    const script = fileURLToPath(new URL("./engines/pytorch.py", import.meta.url));
    return new LineProcess(options.python, [script, JSON.stringify(work), JSON.stringify(tensorsOf(work))], env);
  }
  const checkout = options.against !== undefined && peer === "before" ? `${options.against}/bench/peers/` : "";
  const script = fileURLToPath(new URL("./worker.ts", checkout === "" ? import.meta.url : pathToFileURL(checkout)));
  const contender = peer === "before" ? "ours" : peer;
  const args = ["--import", import.meta.resolve("tsx"), script, contender, JSON.stringify(work), options.folder];
  return new LineProcess(process.execPath, options.device === undefined ? args : [...args, options.device], env);
}

/** Variables with which a library that looks for an adapter by itself finds the one that we take. */
async function adapterEnvironment(adapterName: string): Promise<NodeJS.ProcessEnv> {
  if (!/swiftshader/i.test(adapterName)) return process.env;
  const folder = await swiftShaderFolder();
  return {
    ...process.env,
    LD_LIBRARY_PATH: folder,
    VK_DRIVER_FILES: path.join(folder, "vk_swiftshader_icd.json"),
  };
}

/** One line of the table. */
export function peerLine({ label, version, milliseconds, first, ratio, difference, error }: PeerResult): string {
  const name = `  ${`${label}${version === undefined ? "" : ` ${version}`}`.padEnd(42)}`;
  if (milliseconds === undefined) return `${name} no figure: ${error}`;
  const compared =
    ratio === undefined
      ? "".padStart(24)
      : `${ratio.median.toFixed(2)}× (${ratio.lowerQuartile.toFixed(2)} to ${ratio.upperQuartile.toFixed(2)})`.padStart(
          24,
        );
  const agreement =
    difference === undefined
      ? ""
      : difference < 1e-3
        ? `  agrees to ${difference.toExponential(0)}`
        : `  DISAGREES by ${difference.toExponential(1)}`;
  return (
    `${name} ${milliseconds.median.toPrecision(4).padStart(9)} ms ±${(spreadOf(milliseconds) * 100).toFixed(0)}% ` +
    `(${milliseconds.count} runs, first ${(first ?? 0).toFixed(0)})  ${compared}${agreement}`
  );
}
