import type { ProgressInfo } from "../../bark/load/load_options.ts";
import type { ProgressLine } from "./progress.ts";

/** Smaller files arrive before anybody could read a line about them. */
const smallest = 1e6;

/** Shows how far the download of each large file is. */
export function downloadLine(line: ProgressLine): (info: ProgressInfo) => void {
  let current: { file: string; start: number; resumedAt: number } | undefined;
  return (info) => {
    if (info.status !== "progress" || info.total < smallest) return;
    const { file, loaded, total } = info;
    if (current?.file !== file) current = { file, start: performance.now(), resumedAt: loaded };
    // Rate and estimate count only the bytes that this run fetches.
    const { start, resumedAt } = current;
    if (resumedAt === total) return;
    const milliseconds = performance.now() - start;
    const [done, all] = [loaded - resumedAt, total - resumedAt];
    line.report({ stage: "download", done, total: all, totalIsKnown: true, milliseconds });
    if (loaded === total) line.end();
  };
}
