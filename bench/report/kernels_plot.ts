import type { KernelReport } from "./reports.ts";
import type { KernelResult } from "../kernels/run.ts";
import { bar, decades, digits, element, grey, legend, line, logScale, page, palette, text } from "./svg.ts";

const width = 960;
const roofHeight = 460;
const rowHeight = 15;

/**
 * The roofline with a point for each version whose work is arithmetic (without one there is none), and below it the ladder:
 * what each version gains over the first.
 */
export function plotKernels(report: KernelReport): string {
  const timed = report.results.filter(({ timing }) => timing !== undefined);
  const ladders = laddersOf(timed);
  const rows = ladders.reduce((sum, ladder) => sum + ladder.length + 1, 0);
  const { machine, format } = report;
  const hasRoof = timed.some(({ gigaflops = 0 }) => gigaflops > 0);
  const top = hasRoof ? 60 + roofHeight : 30;
  return page(
    width,
    top + rows * rowHeight + 60,
    `Kernels on ${machine.adapter}, ${machine.processor}; weights ${format}`,
    [hasRoof ? roofline(report, timed) : "", ladder(ladders, top + 15)],
  );
}

function roofline({ roofline: roof }: KernelReport, results: readonly KernelResult[]): string {
  const computed = results.filter(({ gigaflops = 0 }) => gigaflops > 0);
  const [left, right, top, bottom] = [70, width - 30, 70, roofHeight];
  const x = logScale(0.1, 1000, left, right);
  const peak = roof.gigaflops * 2;
  const y = logScale(peak / 3000, peak, bottom, top);
  const ops = [...new Set(computed.map(({ op }) => op))];
  const colourOf = (op: string): string => palette[ops.indexOf(op) % palette.length];
  const ridge = roof.gigaflops / roof.gigabytesPerSecond;
  const lowest = 0.1 * roof.gigabytesPerSecond;
  const grid = [
    ...decades(0.1, 1000).map(
      (v) => line(x(v), top, x(v), bottom, { stroke: grey }) + text(x(v) - 8, bottom + 16, digits(v)),
    ),
    ...decades(peak / 3000, peak).map(
      (v) => line(left, y(v), right, y(v), { stroke: grey }) + text(30, y(v) + 4, digits(v)),
    ),
  ];
  const points = computed.map((result) => {
    const { op, shape, version, chosen, gigaflops = 0, gigabytesPerSecond = 1 } = result;
    const tip = `${op} ${shape}, ${version}: ${digits(gigaflops)} GFLOP/s, ${digits(gigabytesPerSecond)} GB/s`;
    return element(
      "circle",
      {
        cx: x(gigaflops / gigabytesPerSecond),
        cy: y(gigaflops),
        r: 4.5,
        fill: chosen ? colourOf(op) : "white",
        stroke: colourOf(op),
        "stroke-width": 1.5,
      },
      element("title", {}, tip),
    );
  });
  return [
    text(left, 44, "Roofline: GFLOP/s by arithmetic intensity; filled: what the engine chooses"),
    text(right - 160, bottom + 32, "arithmetic intensity, FLOP/byte"),
    legend(
      left,
      62,
      ops.map((op) => [op, colourOf(op)] as const),
    ),
    ...grid,
    line(x(0.1), y(lowest), x(ridge), y(roof.gigaflops), { "stroke-width": 2 }),
    line(x(ridge), y(roof.gigaflops), right, y(roof.gigaflops), { "stroke-width": 2 }),
    text(right - 210, y(roof.gigaflops) - 6, `${digits(roof.gigaflops)} GFLOP/s measured`),
    text(x(0.12), y(0.05 * roof.gigabytesPerSecond), `${digits(roof.gigabytesPerSecond)} GB/s measured`),
    ...points,
  ].join("");
}

/** Results of one op at one shape, where there is more than one version. */
function laddersOf(results: readonly KernelResult[]): KernelResult[][] {
  const groups = new Map<string, KernelResult[]>();
  for (const result of results) {
    const key = `${result.op} ${result.shape}`;
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

function ladder(ladders: readonly (readonly KernelResult[])[], top: number): string {
  const left = 240;
  const gains = ladders.flatMap((group) => group.map((result) => gainOf(result, group[0])));
  const x = logScale(0.1, Math.max(2, ...gains) * 1.2, left, width - 145);
  let y = top + 20;
  const rows = ladders.map((group) => {
    y += rowHeight;
    const parts = [text(16, y, `${group[0].op}: ${group[0].shape}`, { "font-weight": "bold", "font-size": 11 })];
    for (const result of group) {
      y += rowHeight;
      const gain = gainOf(result, group[0]);
      const label = `${gain.toFixed(2)}×, ${digits(result.timing!.milliseconds.median)} ms`;
      parts.push(
        text(40, y, `${result.version}${result.chosen ? " *" : ""}`, { "font-size": 11 }),
        bar(left, y - 10, x(gain) - left, rowHeight - 4, result.chosen ? palette[0] : grey, label),
        text(width - 130, y, label, { "font-size": 11 }),
      );
    }
    return parts.join("");
  });
  const title = text(
    16,
    top + 14,
    "Ladder: speed by that of the first version (logarithmic); *: what the engine chooses",
  );
  // Behind the bars, and left of the labels: it strikes nothing through.
  const first = line(x(1), top + 22, x(1), y + 4, { stroke: palette[1], "stroke-dasharray": "3 3" });
  const ticks = decades(0.1, Math.max(2, ...gains)).map((gain) => text(x(gain) - 4, y + 18, `${digits(gain)}×`));
  return title + first + rows.join("") + ticks.join("") + text(width - 130, y + 18, "speed, time");
}

function gainOf(result: KernelResult, first: KernelResult): number {
  return first.timing!.milliseconds.median / result.timing!.milliseconds.median;
}
