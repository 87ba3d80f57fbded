import type { BarkModel } from "../../bark/model.ts";
import type { BarkStage } from "../../bark/output.ts";
import { coarseRanges, semanticRanges } from "../../bark/planning.ts";
import type { Machine } from "../measure/machine.ts";
import type { Summary } from "../measure/statistics.ts";
import type { Roofline } from "../roofline/roofline.ts";
import { stages, summarizeRuns, type RunMeasurements } from "./measure.ts";
import { bytesPerToken } from "./traffic.ts";

/** A stage, or the prefill or decode in it. */
export interface StagePart {
  readonly name: string;
  /** With every submit waited for. */
  readonly milliseconds: number;
  /** What `count` counts. */
  readonly unit: "prefill" | "token" | "pass" | "frame";
  readonly count: number;
  readonly submits: number;
  readonly dispatches: number;
  /** Of a decode step: bytes of weights, keys and values, and the rate at which they were read. */
  readonly bytesPerToken?: number;
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
  readonly audioSeconds: number;
  readonly tokens: { readonly semantic: number; readonly coarse: number; readonly fine: number };
  readonly load: { readonly cold: number; readonly warm: number };
  readonly cold: Readonly<Record<BarkStage | "total" | "firstTokens", number>>;
  readonly warm: Readonly<Record<BarkStage | "total" | "firstTokens", Summary>>;
  /** The cold run less the median warm one: compiling, by us and by the driver. */
  readonly compile: number;
  readonly parts: readonly StagePart[];
  /** Of that run: what each stage took beside its submits, on the host. */
  readonly host: Readonly<Record<BarkStage, number>>;
  /** Median warm time of a run by the length of its audio. */
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
  const { cold, warm, output } = measured;
  const { sample_rate, semantic_config } = model.generation_config;
  const audioSeconds = output.output_lengths[0] / sample_rate;
  const summary = summarizeRuns(warm);
  return {
    command: "generate",
    ...known,
    dtype: model.dtype,
    audioSeconds,
    tokens: {
      semantic: output.semantic[0].filter((id) => id !== semantic_config.semantic_pad_token).length,
      coarse: output.coarse[0].length,
      fine: output.fine.size,
    },
    cold: { ...cold.stages, total: cold.total, firstTokens: cold.firstTokens },
    warm: summary,
    compile: Math.max(0, cold.total - summary.total.median),
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
    const bytes = stage === "semantic" ? semanticBytes(model, output.semantic[0].length) : coarseBytes(model);
    const gigabytesPerSecond = (bytes * done) / milliseconds / 1e6;
    return {
      ...base,
      unit: "token",
      count: done,
      bytesPerToken: bytes,
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

function semanticBytes({ semantic, generation_config }: BarkModel, tokens: number): number {
  const { semantic_config } = generation_config;
  const ranges = semanticRanges(semantic_config, semantic.config.output_vocab_size);
  const columns = Math.max(...ranges.map(([, end]) => end));
  const prefix = semantic_config.max_input_semantic_length + 1;
  return bytesPerToken(semantic, "semantic", columns, prefix + tokens / 2);
}

/** The cache is taken as half full: windows begin at different lengths. */
function coarseBytes({ coarse_acoustics, generation_config }: BarkModel): number {
  const { block_size, output_vocab_size } = coarse_acoustics.config;
  const [[start, end]] = coarseRanges(generation_config, output_vocab_size);
  return bytesPerToken(coarse_acoustics, "coarse_acoustics", end - start, block_size / 2);
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
    `${tokens.semantic} semantic, ${tokens.coarse} coarse, ${tokens.fine} fine tokens: ${report.audioSeconds.toFixed(2)} s of audio`,
    `${"".padEnd(nameWidth)} ${"cold".padStart(9)} ${"warm".padStart(9)}`,
    line("load", load.cold, load.warm),
    ...stages.map((stage) => line(stage, cold[stage], warm[stage].median, spread(warm[stage]))),
    line("total", cold.total, warm.total.median, `${spread(warm.total)}, ${warm.total.count} warm runs`),
    line("first tokens", load.cold + cold.firstTokens, warm.firstTokens.median, "cold: with load"),
    `compile ${seconds(report.compile).trim()} (cold less warm); real-time factor ${report.realTimeFactor.toFixed(2)}`,
    `peak ${mebibytes(report.peakGpuBytes)} of GPU buffers, ${mebibytes(report.peakRss)} of host memory` +
      (machine.software ? " (the GPU's among them)" : ""),
    "",
    `a warm run with every submit waited for (bandwidth ${roofline.gigabytesPerSecond.toFixed(1)} GB/s):`,
    ...report.parts.map(partLine),
    ...stages.map((stage) => `${`${stage} on the host`.padEnd(nameWidth)} ${seconds(report.host[stage])}`),
  ];
}

function partLine(part: StagePart): string {
  const { name, milliseconds, unit, count, submits, dispatches } = part;
  const per = (value: number): string => (value / count).toFixed(value / count < 10 ? 2 : 0);
  const units = `${count} ${unit}${count === 1 ? "" : unit === "pass" ? "es" : "s"}`;
  const rate = unit === "token" ? `, ${((count / milliseconds) * 1000).toFixed(1)} tokens/s` : "";
  const traffic =
    part.bytesPerToken === undefined
      ? ""
      : `; reads ${(part.bytesPerToken / 1e6).toFixed(1)} MB: ${part.gigabytesPerSecond!.toFixed(2)} GB/s, ` +
        `${(part.shareOfBandwidth! * 100).toFixed(0)} % of the bandwidth`;
  return (
    `${name.padEnd(nameWidth)} ${seconds(milliseconds)}  ${units}${rate}; a ${unit}: ` +
    `${(milliseconds / count).toPrecision(3)} ms, ${per(dispatches)} dispatches, ${per(submits)} submits${traffic}`
  );
}

const nameWidth = 20;

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`.padStart(9);
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
