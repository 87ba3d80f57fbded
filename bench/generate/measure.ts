import { tokensPerReadback } from "../../bark/gpt/decode_session.ts";
import type { BarkModel } from "../../bark/model.ts";
import type { BarkGenerateKwargs } from "../../bark/generate/options/generate_arguments.ts";
import type { BarkOutput, BarkProgress, BarkStage } from "../../bark/generate/output.ts";
import { summarize, type Summary } from "../measure/statistics.ts";
import { DecodeClock, decodeStages, type DecodeStage, type DecodeTimes } from "./decode_clock.ts";
import { SubmitProbe } from "./submit_probe.ts";

export const stages: readonly BarkStage[] = ["semantic", "coarse", "fine", "codec"];

/** Milliseconds of one run. */
export interface RunTimes {
  readonly stages: Readonly<Record<BarkStage, number>>;
  readonly total: number;
  /** From the start of the run to the first tokens that the host sees. */
  readonly firstTokens: number;
  readonly decode: Readonly<Record<DecodeStage, DecodeTimes>>;
}

/** Bytes alive after one run: what a leak would make grow. */
export interface MemoryAfter {
  readonly gpuBytes: number;
  /** Of the process; on a software adapter the GPU's bytes are in it. */
  readonly rss: number;
}

/** Warm runs of one number of tokens between readbacks. */
export interface Turn {
  readonly tokensPerReadback: number;
  readonly runs: readonly RunTimes[];
}

export interface RunMeasurements {
  /** The first run on the device: shaders compile in it. */
  readonly cold: RunTimes;
  /** Those of the first turn. */
  readonly warm: readonly RunTimes[];
  readonly turns: readonly Turn[];
  /** After each warm run, in the order of the runs. */
  readonly memory: readonly MemoryAfter[];
  /** A warm run whose submits were timed apart. */
  readonly probed: Pick<SubmitProbe, "parts" | "done"> & { readonly times: RunTimes };
  readonly output: BarkOutput;
}

export interface RunOptions {
  /** Warm rounds: a run of every turn in each. */
  readonly rounds: number;
  /** No further round begins once they took this many milliseconds. */
  readonly patience?: number;
  /** Numbers of tokens between readbacks that take turns, so that what else the machine does hits all alike. */
  readonly readbacks?: readonly number[];
  readonly onNote?: (line: string) => void;
}

/** Speaks once cold, up to `rounds` times warm in each turn and once with every submit timed, the same each time. */
export async function measureRuns(
  model: BarkModel,
  kwargs: BarkGenerateKwargs,
  { rounds, patience = Infinity, readbacks = [tokensPerReadback(model.gpu)], onNote = () => undefined }: RunOptions,
): Promise<RunMeasurements> {
  const turns = readbacks.map((count) => ({ tokensPerReadback: count, runs: [] as RunTimes[] }));
  const usual = { ...kwargs, tokens_per_readback: readbacks[0] };
  const { times: cold, output } = await speak(model, usual);
  onNote(`cold run: ${(cold.total / 1000).toFixed(1)} s`);
  const memory: MemoryAfter[] = [];
  for (let round = 0, spent = 0; round < rounds && spent < patience; round++)
    for (const { tokensPerReadback: count, runs } of turns) {
      const { times } = await speak(model, { ...kwargs, tokens_per_readback: count });
      runs.push(times);
      memory.push({ gpuBytes: model.gpu.ledger.bytes, rss: process.memoryUsage().rss });
      onNote(`warm run: ${(times.total / 1000).toFixed(1)} s`);
      spent += times.total;
    }
  const probe = new SubmitProbe(model.gpu);
  try {
    const { times } = await speak(model, usual, probe.report);
    return {
      cold,
      warm: turns[0].runs,
      turns,
      memory,
      probed: { parts: probe.parts, done: probe.done, times },
      output,
    };
  } finally {
    probe.dispose();
  }
}

async function speak(
  model: BarkModel,
  kwargs: BarkGenerateKwargs,
  onProgress: (progress: BarkProgress) => void = () => undefined,
): Promise<{ times: RunTimes; output: BarkOutput }> {
  const clock = new DecodeClock();
  const start = performance.now();
  let firstTokens: number | undefined;
  const output = await model.generate_output({
    ...kwargs,
    on_progress: (progress) => {
      clock.report(progress);
      onProgress(progress);
      if (progress.stage === "semantic" && progress.done > 0) firstTokens ??= performance.now() - start;
    },
  });
  const total = performance.now() - start;
  const times = { stages: output.milliseconds, total, firstTokens: firstTokens ?? total, decode: clock.times };
  return { times, output };
}

/** Of each stage, and of the whole. */
export function summarizeRuns(runs: readonly RunTimes[]): Record<BarkStage | "total" | "firstTokens", Summary> {
  const of = (pick: (run: RunTimes) => number): Summary => summarize(runs.map(pick));
  const byStage = Object.fromEntries(stages.map((stage) => [stage, of((run) => run.stages[stage])]));
  return {
    ...(byStage as Record<BarkStage, Summary>),
    total: of((run) => run.total),
    firstTokens: of((run) => run.firstTokens),
  };
}

/** A decode with so many tokens between readbacks: times of a step, and of the whole stage with what it wastes. */
export interface TurnSummary {
  readonly tokensPerReadback: number;
  readonly decode: readonly {
    readonly stage: DecodeStage;
    readonly stageMilliseconds: Summary;
    /** Missing where a stage is over with its first readback. */
    readonly step?: Summary;
    readonly stepCpu?: Summary;
  }[];
}

export function summarizeTurn({ tokensPerReadback: count, runs }: Turn): TurnSummary {
  const decode = decodeStages.map((stage) => {
    const stageMilliseconds = summarize(runs.map((run) => run.stages[stage]));
    const timed = runs.map((run) => run.decode[stage]).filter(({ steps }) => steps > 0);
    if (timed.length === 0) return { stage, stageMilliseconds };
    const step = summarize(timed.map(({ milliseconds, steps }) => milliseconds / steps));
    const stepCpu = summarize(timed.map(({ cpuMilliseconds, steps }) => cpuMilliseconds / steps));
    return { stage, stageMilliseconds, step, stepCpu };
  });
  return { tokensPerReadback: count, decode };
}
