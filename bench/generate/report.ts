import type { BarkModel } from "../../bark/model.ts";
import type { BarkStage } from "../../bark/generate/output.ts";
import { coarseRanges } from "../../bark/generate/coarse_plan.ts";
import { semanticRanges } from "../../bark/generate/semantic_plan.ts";
import type { Machine } from "../measure/machine.ts";
import type { Summary } from "../measure/statistics.ts";
import type { Roofline } from "../roofline/roofline.ts";
import {
  stages,
  summarizeRuns,
  summarizeTurn,
  type MemoryAfter,
  type RunMeasurements,
  type TurnSummary,
} from "./measure.ts";
import { bytesPerStep } from "./traffic.ts";

/** A stage, or the prefill or decode in it. */
export interface StagePart {
  readonly name: string;
  /** With every submit waited for. */
  readonly milliseconds: number;
  /** What `count` counts; tokens are those of all rows. */
  readonly unit: "prefill" | "token" | "pass" | "frame";
  readonly count: number;
  readonly submits: number;
  readonly dispatches: number;
  /** Of a decode: its steps, each of a token a row; bytes of weights, keys and values that a step reads; their rate. */
  readonly steps?: number;
  readonly bytesPerStep?: number;
  readonly gigabytesPerSecond?: number;
  /** That rate as a share of the bandwidth measured beside it. */
  readonly shareOfBandwidth?: number;
}

/** What `bench generate --json` prints. Times are milliseconds. */
export interface GenerateReport {
  readonly command: "generate";
  readonly args: readonly string[];
  readonly machine: Machine;
  readonly model: string;
  readonly dtype: string;
  readonly roofline: Roofline;
  /** Texts that were spoken together. */
  readonly batch: number;
  /** Of all rows, as the tokens are. */
  readonly audioSeconds: number;
  readonly tokens: { readonly semantic: number; readonly coarse: number; readonly fine: number };
  readonly load: { readonly cold: number; readonly warm: number };
  readonly cold: Readonly<Record<BarkStage | "total" | "firstTokens", number>>;
  readonly warm: Readonly<Record<BarkStage | "total" | "firstTokens", Summary>>;
  /** The cold run less the median warm one: compiling, by us and by the driver. */
  readonly compile: number;
  /** The decode of warm runs that nobody watched, by the number of tokens between readbacks. */
  readonly readbacks: readonly TurnSummary[];
  readonly memory: readonly MemoryAfter[];
  /** Of a run whose submits were each waited for. */
  readonly parts: readonly StagePart[];
  /** Of that run: what each stage took beside its submits, on the host. */
  readonly host: Readonly<Record<BarkStage, number>>;
  /** Median warm time of a run by the audio of all its rows together. */
  readonly realTimeFactor: number;
  readonly peakGpuBytes: number;
  /** Of the process; on a software adapter the GPU's bytes are in it. */
  readonly peakRss: number;
}

export function describeRuns(
  model: BarkModel,
  measured: RunMeasurements,
  known: Pick<GenerateReport, "machine" | "model" | "roofline" | "peakGpuBytes" | "peakRss">,
): Omit<GenerateReport, "load" | "args"> {
  const { cold, warm, turns, memory, output } = measured;
  const { sample_rate, semantic_config } = model.generation_config;
  const audioSeconds = sum(output.output_lengths) / sample_rate;
  const isSpoken = (id: number): boolean => id !== semantic_config.semantic_pad_token;
  const summary = summarizeRuns(warm);
  return {
    command: "generate",
    ...known,
    dtype: model.dtype,
    batch: output.semantic.length,
    audioSeconds,
    tokens: {
      semantic: sum(output.semantic.map((row) => row.filter(isSpoken).length)),
      coarse: sum(output.coarse.map((row) => row.length)),
      fine: output.fine.size,
    },
    cold: { ...cold.stages, total: cold.total, firstTokens: cold.firstTokens },
    warm: summary,
    compile: Math.max(0, cold.total - summary.total.median),
    readbacks: turns.map(summarizeTurn),
    memory,
    parts: describeParts(model, measured, known.roofline),
    host: hostTimes(measured),
    realTimeFactor: summary.total.median / 1000 / audioSeconds,
  };
}

function describeParts(model: BarkModel, { probed, output }: RunMeasurements, roofline: Roofline): StagePart[] {
  return [...probed.parts].map(([name, { milliseconds, submits, dispatches, bursts }]): StagePart => {
    const stage = name.split(" ")[0] as BarkStage;
    const base = { name, milliseconds, submits, dispatches };
    const done = probed.done.get(stage) ?? 0;
    if (name.endsWith("prefill")) return { ...base, unit: "prefill", count: bursts };
    if (stage === "fine") return { ...base, unit: "pass", count: done };
    if (stage === "codec") return { ...base, unit: "frame", count: done };
    const rows = output.semantic.length;
    const bytes = stage === "semantic" ? semanticBytes(model, output.semantic) : coarseBytes(model, rows);
    const gigabytesPerSecond = (bytes * done) / milliseconds / 1e6;
    return {
      ...base,
      unit: "token",
      count: done * rows,
      steps: done,
      bytesPerStep: bytes,
      gigabytesPerSecond,
      shareOfBandwidth: gigabytesPerSecond / roofline.gigabytesPerSecond,
    };
  });
}

function hostTimes({ probed }: RunMeasurements): Record<BarkStage, number> {
  const host = { ...probed.times.stages };
  for (const [name, { milliseconds }] of probed.parts) host[name.split(" ")[0] as BarkStage] -= milliseconds;
  return host;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function semanticBytes({ semantic, generation_config }: BarkModel, tokens: readonly (readonly number[])[]): number {
  const { semantic_config } = generation_config;
  const ranges = semanticRanges(semantic_config, semantic.config.output_vocab_size);
  return bytesPerStep(semantic, "semantic", {
    rows: tokens.length,
    headColumns: Math.max(...ranges.map(([, end]) => end)),
    positions: semantic_config.max_input_semantic_length + 1 + tokens[0].length / 2,
  });
}

/** The cache is taken as half full: windows begin at different lengths. */
function coarseBytes({ coarse_acoustics, generation_config }: BarkModel, rows: number): number {
  const { block_size, output_vocab_size } = coarse_acoustics.config;
  const [[start, end]] = coarseRanges(generation_config, output_vocab_size);
  const sizes = { rows, headColumns: end - start, positions: block_size / 2 };
  return bytesPerStep(coarse_acoustics, "coarse_acoustics", sizes);
}

/** The report as lines for people. */
export function reportLines(report: GenerateReport): string[] {
  const { machine, roofline, tokens, load, cold, warm } = report;
  const line = (name: string, coldMs: number, warmMs: number, rest = ""): string =>
    `${name.padEnd(nameWidth)} ${seconds(coldMs)} ${seconds(warmMs)}  ${rest}`.trimEnd();
  const spread = ({ lowerQuartile, upperQuartile, count }: Summary): string =>
    count === 1
      ? "one warm run"
      : `quartiles ${(lowerQuartile / 1000).toFixed(2)} to ${(upperQuartile / 1000).toFixed(2)} s`;
  return [
    `${report.model}, weights ${report.dtype}, on ${machine.adapter}; ${machine.processor}, ${machine.runtime}`,
    `${report.batch === 1 ? "" : `batch of ${report.batch} texts: `}${tokens.semantic} semantic, ${tokens.coarse} coarse, ` +
      `${tokens.fine} fine tokens: ${report.audioSeconds.toFixed(2)} s of audio${report.batch === 1 ? "" : " in all"}`,
    `${"".padEnd(nameWidth)} ${"cold".padStart(9)} ${"warm".padStart(9)}`,
    line("load", load.cold, load.warm),
    ...stages.map((stage) => line(stage, cold[stage], warm[stage].median, spread(warm[stage]))),
    line("total", cold.total, warm.total.median, `${spread(warm.total)}, ${warm.total.count} warm runs`),
    line("first tokens", load.cold + cold.firstTokens, warm.firstTokens.median, "cold: with load"),
    `compile ${seconds(report.compile).trim()} (cold less warm); real-time factor ${report.realTimeFactor.toFixed(2)} ` +
      `(warm time by ${report.batch === 1 ? "the audio's" : "all rows' audio"})`,
    `peak ${mebibytes(report.peakGpuBytes)} of GPU buffers, ${mebibytes(report.peakRss)} of host memory` +
      (machine.software ? " (the GPU's among them)" : ""),
    ...memoryLines(report.memory),
    "",
    "decode in warm runs, without waiting for submits:",
    ...report.readbacks.flatMap((turn) => turnLines(turn, report.batch)),
    "",
    `a warm run with every submit waited for (bandwidth ${roofline.gigabytesPerSecond.toFixed(1)} GB/s):`,
    ...report.parts.map(partLine),
    ...stages.map((stage) => `${`${stage} on the host`.padEnd(nameWidth)} ${seconds(report.host[stage])}`),
  ];
}

/** Where runs are many enough to tell a leak. */
function memoryLines(memory: readonly MemoryAfter[]): string[] {
  if (memory.length < 10) return [];
  const after = (run: number): string =>
    `${mebibytes(memory[run - 1].gpuBytes)} of GPU buffers and ${mebibytes(memory[run - 1].rss)} of host memory after run ${run}`;
  return [`alive: ${after(1)}, ${after(10)}, ${after(memory.length)}`];
}

function turnLines({ tokensPerReadback, decode }: TurnSummary, batch: number): string[] {
  return decode.map(({ stage, stageMilliseconds, step, stepCpu }) => {
    const name = `${stage} decode`.padEnd(nameWidth);
    const whole = `${batch === 1 ? "" : `${batch} rows, `}${tokensPerReadback} steps a readback; stage ${(stageMilliseconds.median / 1000).toFixed(2)} s`;
    if (step === undefined) return `${name} ${whole}`;
    return (
      `${name} ${whole}; a step: ${step.median.toPrecision(3)} ms (quartiles ${step.lowerQuartile.toPrecision(3)} to ` +
      `${step.upperQuartile.toPrecision(3)}), CPU ${stepCpu!.median.toPrecision(3)} ms; ${((batch * 1000) / step.median).toFixed(1)} tokens/s`
    );
  });
}

function partLine(part: StagePart): string {
  const { name, milliseconds, unit, count, submits, dispatches, steps } = part;
  const times = steps ?? count;
  const per = (value: number): string => (value / times).toFixed(value / times < 10 ? 2 : 0);
  const units = (amount: number, of: string): string =>
    `${amount} ${of}${amount === 1 ? "" : of === "pass" ? "es" : "s"}`;
  const rate =
    steps === undefined ? "" : ` in ${units(steps, "step")}, ${((count / milliseconds) * 1000).toFixed(1)} tokens/s`;
  const traffic =
    part.bytesPerStep === undefined
      ? ""
      : `; reads ${(part.bytesPerStep / 1e6).toFixed(1)} MB: ${part.gigabytesPerSecond!.toFixed(2)} GB/s, ` +
        `${(part.shareOfBandwidth! * 100).toFixed(0)} % of the bandwidth`;
  return (
    `${name.padEnd(nameWidth)} ${seconds(milliseconds)}  ${units(count, unit)}${rate}; a ${steps === undefined ? unit : "step"}: ` +
    `${(milliseconds / times).toPrecision(3)} ms, ${per(dispatches)} dispatches, ${per(submits)} submits${traffic}`
  );
}

const nameWidth = 20;

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`.padStart(9);
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

/** A folder of this machine is named by its last part. */
export function nameOf(model: string): string {
  return model.split(/[/\\]/).at(-1) ?? model;
}
