import type { PeersReport } from "./reports.ts";
import { describeWork } from "../measure/work.ts";
import { bar, digits, grey, line, logScale, page, palette, text } from "./svg.ts";

const width = 960;
const [left, right] = [270, width - 230];
const rowHeight = 18;

/** A bar for each contender at each work: milliseconds on a logarithmic scale, with quartiles. */
export function plotPeers({ machine, works }: PeersReport): string {
  let y = 50;
  const content = works.map(({ work, results }) => {
    const times = results.flatMap(({ milliseconds }) => (milliseconds === undefined ? [] : [milliseconds]));
    const x = logScale(
      Math.min(...times.map(({ min }) => min)) / 2,
      Math.max(...times.map(({ upperQuartile }) => upperQuartile)) * 1.2,
      left,
      right,
    );
    y += rowHeight;
    const rows = [text(16, y, describeWork(work), { "font-weight": "bold" })];
    for (const { peer, label, milliseconds, ratio, difference = 0, error } of results) {
      y += rowHeight;
      rows.push(text(32, y, label));
      if (milliseconds === undefined) {
        rows.push(text(left, y, `no figure: ${(error ?? "").slice(0, 90)}`, { fill: "#888888" }));
        continue;
      }
      const { median, lowerQuartile, upperQuartile } = milliseconds;
      const wrong = difference > 1e-3 ? ", WRONG result" : "";
      const told = `${digits(median)} ms${ratio === undefined ? "" : `, ${ratio.median.toFixed(2)}×`}${wrong}`;
      rows.push(
        bar(left, y - 11, x(median) - left, rowHeight - 5, peer === "ours" ? palette[0] : grey, told),
        line(x(lowerQuartile), y - 5, x(upperQuartile), y - 5, { "stroke-width": 2 }),
        text(right + 12, y, told),
      );
    }
    y += 8;
    return rows.join("");
  });
  const subtitle = text(
    16,
    44,
    "bar: median milliseconds on a logarithmic axis of each work, line: quartiles; ×: a peer's time by ours in the same round",
  );
  return page(width, y + 30, `The same work on ${machine.adapter}, ${machine.processor}; f32`, [subtitle, ...content]);
}
