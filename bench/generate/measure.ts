import type { BarkModel, BarkGenerateKwargs } from "../../bark/model.ts";
import type { BarkOutput, BarkProgress, BarkStage } from "../../bark/output.ts";
import { summarize, type Summary } from "../measure/statistics.ts";
import { SubmitProbe } from "./submit_probe.ts";

export const stages: readonly BarkStage[] = ["semantic", "coarse", "fine", "codec"];

/** Milliseconds of one run. */
export interface RunTimes {
  readonly stages: Readonly<Record<BarkStage, number>>;
  readonly total: number;
  /** From the start of the run to the first tokens that the host sees. */
  readonly firstTokens: number;
}

export interface RunMeasurements {
  /** The first run on the device: shaders compile in it. */
  readonly cold: RunTimes;
  readonly warm: readonly RunTimes[];
  /** A warm run whose submits were timed apart. */
  readonly probed: Pick<SubmitProbe, "parts" | "done"> & { readonly times: RunTimes };
  readonly output: BarkOutput;
}

/** Warm runs end early once they took this long, and the first of them is kept in any case. */
const patience = 120_000;

/** Speaks once cold, up to `runs` times warm and once with every submit timed, the same each time. */
export async function measureRuns(
  model: BarkModel,
  kwargs: BarkGenerateKwargs,
  runs: number,
  onNote: (line: string) => void = () => undefined,
): Promise<RunMeasurements> {
  const { times: cold, output } = await speak(model, kwargs);
  onNote(`cold run: ${(cold.total / 1000).toFixed(1)} s`);
  const warm: RunTimes[] = [];
  for (let spent = 0; warm.length < runs && spent < patience;) {
    const { times } = await speak(model, kwargs);
    warm.push(times);
    onNote(`warm run: ${(times.total / 1000).toFixed(1)} s`);
    spent += times.total;
  }
  const probe = new SubmitProbe(model.gpu);
  try {
    const { times } = await speak(model, kwargs, probe.report);
    return { cold, warm, probed: { parts: probe.parts, done: probe.done, times }, output };
  } finally {
    probe.dispose();
  }
}

async function speak(
  model: BarkModel,
  kwargs: BarkGenerateKwargs,
  onProgress: (progress: BarkProgress) => void = () => undefined,
): Promise<{ times: RunTimes; output: BarkOutput }> {
  const start = performance.now();
  let firstTokens: number | undefined;
  const output = await model.generate_output({
    ...kwargs,
    on_progress: (progress) => {
      onProgress(progress);
      if (progress.stage === "semantic" && progress.done > 0) firstTokens ??= performance.now() - start;
    },
  });
  const total = performance.now() - start;
  return { times: { stages: output.milliseconds, total, firstTokens: firstTokens ?? total }, output };
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
