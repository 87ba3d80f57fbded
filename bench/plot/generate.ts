import { stages } from "../generate/measure.ts";
import { nameOf, type GenerateReport } from "../generate/report.ts";
import { bar, digits, legend, page, palette, text } from "./svg.ts";

const width = 960;
const [left, right] = [110, width - 110];

interface Segment {
  readonly name: string;
  readonly milliseconds: number;
}

/** Where the time of a run goes: bars of the stages cold and warm, and of their parts. */
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
  const facts = `${rows}${digits(report.audioSeconds)} s of audio, real-time factor ${digits(report.realTimeFactor)}`;
  return page(width, 270, title, [
    text(16, 44, facts),
    legend(
      left,
      72,
      names.map((name, i) => [name, palette[i % palette.length]] as const),
    ),
    ...bars.map(([name, segments], i) => stacked(name, segments, names, 86 + 34 * i)),
    text(16, 178, "Parts of a warm run, every submit waited for:"),
    legend(
      left,
      200,
      partNames.map((name, i) => [name, palette[i % palette.length]] as const),
    ),
    stacked("parts", parts, partNames, 214),
  ]);
}

/** One bar over the whole width; its parts are shares of its total. */
function stacked(label: string, segments: readonly Segment[], names: readonly string[], y: number): string {
  const total = segments.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  let x = left;
  const drawn = segments.map(({ name, milliseconds }) => {
    const length = ((right - left) * milliseconds) / total;
    const tip = `${name}: ${digits(milliseconds)} ms, ${((100 * milliseconds) / total).toFixed(1)} %`;
    const colour = palette[names.indexOf(name) % palette.length];
    const inside = length > 60 ? text(x + 4, y + 17, `${digits(milliseconds / 1000)} s`, { fill: "white" }) : "";
    const part = bar(x, y, length, 25, colour, tip) + inside;
    x += length;
    return part;
  });
  return text(16, y + 17, label) + drawn.join("") + text(right + 8, y + 17, `${digits(total / 1000)} s`);
}
