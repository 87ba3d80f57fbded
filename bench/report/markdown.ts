import { nameOf, type GenerateReport } from "../generate/report.ts";
import { encodeLines } from "./encode_lines.ts";
import type { EncodeReport } from "./reports.ts";
import { stages } from "../generate/measure.ts";
import type { KernelReport } from "./reports.ts";
import type { Machine } from "../measure/machine.ts";
import { spreadOf } from "../measure/statistics.ts";
import type { PeersReport } from "./reports.ts";
import { timedBefore } from "../kernels/ladder.ts";
import { gainText } from "../kernels/table.ts";
import { describeWork } from "../measure/work.ts";

export type Report = KernelReport | GenerateReport | PeersReport | EncodeReport;

/** `bench/RESULTS.md` from the reports of runs. */
export function resultsMarkdown(reports: readonly Report[]): string {
  const sections = reports.map((report) => [
    `## ${titleOf(report)}`,
    "",
    "```sh",
    commandOf(report),
    "```",
    "",
    ...bodyOf(report),
  ]);
  return `${[
    "# Measured results",
    "",
    "Written by `bark bench results` from what `--json` of the commands below printed; not edited by hand.",
    "Times are medians; ± is half the distance of the quartiles. The machine was shared with other work, so ratios within a run",
    "say more than times. A ratio is taken round by round, ours and the peers' in turns. Kernels: `roofline` is the share of what",
    "the adapter did in the same run, named by what bounds it; `gain` is the first version's time by this one's, `step` that of",
    "the rung before; **chosen** is what the engine took then.",
    "",
    ...sections.flat(),
  ]
    .join("\n")
    .trimEnd()}\n`;
}

/** What was measured, then where: the same bench may be there for several adapters and runtimes. */
function titleOf(report: Report): string {
  const { adapter, runtime } = report.machine;
  return `${subjectOf(report)}: ${adapter}, ${runtime}`;
}

function subjectOf(report: Report): string {
  if (report.command === "kernels") return `Kernels, weights ${report.format}`;
  if (report.command === "peers") return "The same work by other engines";
  if (report.command === "encode") return "Host cost of a decode step";
  const { model, dtype, batch } = report;
  return `Speaking, ${nameOf(model)} in ${dtype}${batch === 1 ? "" : `, ${batch} texts at a time`}`;
}

/** Without the path of a Python, which says nothing elsewhere. */
function commandOf(report: Report): string {
  const { command, args, machine } = report;
  const told = args.filter((arg, i) => arg !== "--python" && args[i - 1] !== "--python" && arg !== "--json");
  const quoted = told.map((arg) => (/^[\w./=,:-]+$/.test(arg) ? arg : `"${arg}"`));
  if (command === "peers") return ["npm run bench:peers --", ...quoted].join(" ");
  if (command === "kernels" && report.peers) return ["npm run bench:peers -- kernels", ...quoted].join(" ");
  const bench = machine.runtime.startsWith("Deno")
    ? "npx deno run -A --no-lock bench/main.ts"
    : "npm run bark -- bench";
  return [bench, command, ...quoted].join(" ");
}

function machineLine({ processor, runtime, adapter }: Machine): string {
  return `${adapter}, ${processor}, ${runtime}.`;
}

function bodyOf(report: Report): string[] {
  if (report.command === "kernels") return kernelLines(report);
  if (report.command === "generate") return generateLines(report);
  return report.command === "peers" ? peerLines(report) : encodeSection(report);
}

function encodeSection(report: EncodeReport): string[] {
  return [`${machineLine(report.machine)} ${report.layers} layers, ${encodeLines(report).join("; ")}.`, ""];
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line), ""];
}

function kernelLines({ machine, format, roofline, results }: KernelReport): string[] {
  const { gigabytesPerSecond, gigaflops, dispatchMicroseconds } = roofline;
  const rows = results.map((result) => {
    const { op, shape, version, chosen, timing, failed, share = 0, bound } = result;
    const ladder = results.filter((other) => other.op === op && other.shape === shape);
    const name = `${version}${chosen ? " **chosen**" : ""}`;
    if (timing === undefined)
      return [op, shape, name, failed === undefined ? "wrong result" : "failed", "", "", "", "", "", ""];
    const { gigaflops: rate = 0, gigabytesPerSecond: bytes = 0 } = result;
    return [
      op,
      shape,
      name,
      timing.milliseconds.median.toPrecision(3),
      `${(spreadOf(timing.milliseconds) * 100).toFixed(0)} %`,
      rate === 0 ? "" : rate.toFixed(1),
      bytes.toFixed(2),
      `${(share * 100).toFixed(0)} % of ${bound}`,
      gainText(result, ladder[0]),
      gainText(result, timedBefore(ladder, ladder.indexOf(result))),
    ];
  });
  return [
    `${machineLine(machine)} Weights ${format}. Roofline measured in this run: ${gigabytesPerSecond.toFixed(1)} GB/s, ` +
      `${gigaflops.toFixed(1)} GFLOP/s; a dispatch costs ${dispatchMicroseconds.toFixed(0)} µs.` +
      (results.some(({ timing }) => timing?.clock === "cpu")
        ? " Times are of the processor, all cores together: others on the machine change them little."
        : ""),
    "",
    ...table(["op", "shape", "version", "ms", "±", "GFLOP/s", "GB/s", "roofline", "gain", "step"], rows),
  ];
}

function generateLines(report: GenerateReport): string[] {
  const { machine, model, dtype, batch, tokens, load, cold, warm } = report;
  const inSeconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(2);
  const rows = [
    ["load", inSeconds(load.cold), inSeconds(load.warm), ""],
    ...([...stages, "total"] as const).map((stage) => [
      stage,
      inSeconds(cold[stage]),
      inSeconds(warm[stage].median),
      `${(spreadOf(warm[stage]) * 100).toFixed(0)} %`,
    ]),
  ];
  const parts = report.parts.map(({ name, milliseconds, unit, count, steps, dispatches, submits, ...traffic }) => {
    const units = steps ?? count;
    return [
      name,
      inSeconds(milliseconds),
      `${units} × ${steps === undefined ? unit : "step"}`,
      (milliseconds / units).toPrecision(3),
      steps === undefined ? "" : ((count / milliseconds) * 1000).toFixed(1),
      (dispatches / units).toFixed(1),
      (submits / units).toFixed(2),
      traffic.bytesPerStep === undefined ? "" : (traffic.bytesPerStep / 1e6).toFixed(1),
      traffic.shareOfBandwidth === undefined ? "" : `${(traffic.shareOfBandwidth * 100).toFixed(0)} %`,
    ];
  });
  return [
    `${machineLine(machine)} ${nameOf(model)}, weights ${dtype}; ${batch === 1 ? "" : `a batch of ${batch} texts, `}` +
      `${tokens.semantic} semantic tokens, ${report.audioSeconds.toFixed(2)} s of audio${batch === 1 ? "" : " in all"}. ` +
      `Real-time factor (warm time by ${batch === 1 ? "the audio's" : "all rows' audio"}) ${report.realTimeFactor.toFixed(2)}; ` +
      `compiling ${inSeconds(report.compile)} s (cold less warm); ` +
      `first tokens after ${inSeconds(load.cold + cold.firstTokens)} s cold (with load), ${inSeconds(warm.firstTokens.median)} s warm; ` +
      `peak GPU bytes ${(report.peakGpuBytes / 2 ** 20).toFixed(0)} MiB, of the process ${(report.peakRss / 2 ** 20).toFixed(0)} MiB.`,
    "",
    ...table(["stage", "cold s", "warm s", "±"], rows),
    ...table(
      ["part of a warm run", "s", "units", "ms a unit", "tokens/s", "dispatches", "submits", "MB read", "of bandwidth"],
      parts,
    ),
    ...readbackLines(report),
    ...memoryLines(report),
  ];
}

/** The decode of runs that nobody watched: at full speed, where the table of parts waits for every submit. */
function readbackLines({ readbacks, batch }: GenerateReport): string[] {
  const rows = readbacks.flatMap(({ tokensPerReadback, decode }) =>
    decode.map(({ stage, stageMilliseconds, step, stepCpu }) => [
      stage,
      `${tokensPerReadback}`,
      ...(step === undefined
        ? ["", "", "", ""]
        : [
            step.median.toPrecision(3),
            `${(spreadOf(step) * 100).toFixed(0)} %`,
            (stepCpu?.median ?? 0).toPrecision(3),
            ((batch * 1000) / step.median).toFixed(1),
          ]),
      (stageMilliseconds.median / 1000).toFixed(2),
    ]),
  );
  // Turns of a stage stand together.
  const sorted = rows.toSorted(([a, m], [b, n]) => (a === b ? Number(m) - Number(n) : a === "semantic" ? -1 : 1));
  return table(
    ["decode, not waited for", "steps a readback", "ms a step", "±", "CPU ms a step", "tokens/s", "stage s"],
    sorted,
  );
}

/** Where runs are many enough to tell a leak. */
function memoryLines({ memory }: GenerateReport): string[] {
  if (memory.length < 10) return [];
  const rows = [1, 10, Math.ceil(memory.length / 2), memory.length].map((run) => {
    const { gpuBytes, rss } = memory[run - 1];
    return [`${run}`, `${gpuBytes}`, (rss / 2 ** 20).toFixed(1)];
  });
  return table(["alive after warm run", "bytes of GPU buffers", "RSS, MiB"], rows);
}

function peerLines({ machine, works }: PeersReport): string[] {
  return [
    `${machineLine(machine)} f32. ×: a peer's time by ours.`,
    "",
    ...works.flatMap(({ work, results }) => [
      `### ${describeWork(work)}`,
      "",
      ...table(
        ["engine", "ms", "±", "first run ms", "×", "quartiles", "result"],
        results.map(({ label, version, milliseconds, first, ratio, difference, error }) => {
          const name = version === undefined ? label : `${label} ${version}`;
          if (milliseconds === undefined)
            return [name, "", "", "", "", "", `no figure: ${(error ?? "").slice(0, 100)}`];
          return [
            name,
            milliseconds.median.toPrecision(4),
            `${(spreadOf(milliseconds) * 100).toFixed(0)} %`,
            (first ?? 0).toFixed(0),
            ratio?.median.toFixed(2) ?? "",
            ratio === undefined ? "" : `${ratio.lowerQuartile.toFixed(2)} to ${ratio.upperQuartile.toFixed(2)}`,
            difference === undefined
              ? ""
              : difference < 1e-3
                ? `agrees to ${difference.toExponential(0)}`
                : `**wrong** by ${difference.toExponential(0)}`,
          ];
        }),
      ),
    ]),
  ];
}
