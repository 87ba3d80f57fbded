import { stages } from "../generate/measure.ts";
import { nameOf, type GenerateReport } from "../generate/report.ts";
import { bar, digits, legend, line, page, palette, text } from "./svg.ts";

const width = 960;
const [left, right] = [110, width - 110];

interface Segment {
  readonly name: string;
  readonly milliseconds: number;
}

/** Where the time of a run goes: bars of the stages cold and warm on one scale, and of a warm run's parts on its own. */
export function plotGenerate(report: GenerateReport): string {
  const { machine, load, cold, warm } = report;
  const bars: (readonly [string, Segment[]])[] = [
    [
      "cold",
      [{ name: "load", milliseconds: load.cold }, ...stages.map((name) => ({ name, milliseconds: cold[name] }))],
    ],
    [
      "warm",
      [{ name: "load", milliseconds: load.warm }, ...stages.map((name) => ({ name, milliseconds: warm[name].median }))],
    ],
  ];
  const parts: Segment[] = [
    ...report.parts,
    { name: "host", milliseconds: stages.reduce((sum, stage) => sum + Math.max(0, report.host[stage]), 0) },
  ];
  const names = ["load", ...stages];
  const partNames = parts.map(({ name }) => name);
  const title = `${nameOf(report.model)}, weights ${report.dtype}, on ${machine.adapter}`;
  const rows = report.batch === 1 ? "" : `batch of ${report.batch} texts, `;
  const longest = Math.max(...bars.map(([, segments]) => totalOf(segments)));
  const facts = `${rows}${digits(report.audioSeconds)} s of audio, real-time factor ${digits(report.realTimeFactor)}`;
  return page(width, 320, title, [
    text(16, 44, facts),
    legend(
      left,
      72,
      names.map((name, i) => [name, palette[i % palette.length]] as const),
    ),
    ...bars.map(([name, segments], i) => stacked(name, segments, names, 86 + 34 * i, longest)),
    secondsAxis(longest, 86, 158),
    text(16, 206, "Parts of a warm run, every submit waited for:"),
    legend(
      left,
      228,
      partNames.map((name, i) => [name, palette[i % palette.length]] as const),
    ),
    stacked("parts", parts, partNames, 242, totalOf(parts)),
    secondsAxis(totalOf(parts), 242, 280),
  ]);
}

function totalOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
}

/** One bar of segments one after the other. @param longest milliseconds of the whole width. */
function stacked(
  label: string,
  segments: readonly Segment[],
  names: readonly string[],
  y: number,
  longest: number,
): string {
  const total = totalOf(segments);
  let x = left;
  const drawn = segments.map(({ name, milliseconds }) => {
    const length = ((right - left) * milliseconds) / longest;
    const tip = `${name}: ${digits(milliseconds)} ms, ${((100 * milliseconds) / total).toFixed(1)} %`;
    const colour = palette[names.indexOf(name) % palette.length];
    const inside = length > 60 ? text(x + 4, y + 17, `${digits(milliseconds / 1000)} s`, { fill: "white" }) : "";
    const part = bar(x, y, length, 25, colour, tip) + inside;
    x += length;
    return part;
  });
  return text(16, y + 17, label) + drawn.join("") + text(x + 8, y + 17, `${digits(total / 1000)} s`);
}

/** Ticks under bars, and what they count. */
function secondsAxis(longest: number, top: number, bottom: number): string {
  const step = 10 ** Math.floor(Math.log10(longest / 1000 / 2)) || 1;
  const wide = longest / 1000 / step > 8 ? 5 * step : step;
  const ticks = Array.from({ length: Math.floor(longest / 1000 / wide) + 1 }, (_, i) => i * wide);
  const x = (seconds: number): number => left + ((right - left) * seconds * 1000) / longest;
  return [
    line(left, bottom, right, bottom),
    ...ticks.map(
      (value) => line(x(value), bottom, x(value), bottom + 4) + text(x(value) - 4, bottom + 16, digits(value)),
    ),
    text(right + 8, bottom + 4, "seconds"),
    line(left, top, left, bottom),
  ].join("");
}
