import type { BarkProgress } from "../output.ts";

type Stage = BarkProgress["stage"] | "convert" | "download";
type Progress = Omit<BarkProgress, "stage"> & { stage: Stage };

// Weights come in tens of millions.
const scales: Partial<Record<Stage, number>> = { load: 1e6, convert: 1e6, download: 1e6 };
const units: Record<Stage, string> = {
  load: "M weights",
  semantic: "tokens",
  coarse: "tokens",
  fine: "passes",
  codec: "frames",
  convert: "MB",
  download: "MB",
};
const barWidth = 24;
/** Between two lines where nothing overwrites them (a log file). */
const plainInterval = 2000;

/** Shows how far a run is, on stderr: one line a stage that rewrites itself on a terminal, plain lines elsewhere. */
export class ProgressLine {
  readonly #isTerminal = process.stderr.isTTY;
  #stage: Stage | undefined;
  #last: Progress | undefined;
  #shownAt = performance.now();

  readonly report = (progress: Progress): void => {
    if (progress.stage !== this.#stage) {
      this.end();
      this.#stage = progress.stage;
      this.#shownAt = performance.now();
    }
    this.#last = progress;
    if (!this.#isTerminal && performance.now() - this.#shownAt < plainInterval) return;
    this.#show(progress);
  };

  /** Leaves the last stage's line as it ended. */
  end(): void {
    if (this.#last === undefined) return;
    this.#show(this.#last, true);
    if (this.#isTerminal) process.stderr.write("\n");
    this.#last = undefined;
  }

  #show(progress: Progress, ended = false): void {
    const text = describeProgress(progress, ended);
    this.#shownAt = performance.now();
    if (!this.#isTerminal) process.stderr.write(`${text}\n`);
    else process.stderr.write(`\r\x1b[K${bar(ended ? 1 : progress.done / progress.total)} ${text}`);
  }
}

/** `coarse: 120/480 tokens, 35.1 tokens/s, ETA 11 s`. */
export function describeProgress(progress: Progress, ended: boolean): string {
  const { stage, totalIsKnown, milliseconds } = progress;
  const scale = scales[stage] ?? 1;
  const done = Math.round(progress.done / scale);
  const total = Math.round(progress.total / scale);
  const seconds = milliseconds / 1000;
  const rate = seconds > 0 ? done / seconds : 0;
  const count = ended ? `${done}` : totalIsKnown ? `${done}/${total}` : `${done} of at most ${total}`;
  const speed = rate > 0 ? `, ${speedOf(rate)} ${units[stage]}/s` : "";
  const left = rate > 0 ? Math.ceil((total - done) / rate) : 0;
  const eta = ended ? `, ${seconds.toFixed(1)} s` : rate > 0 ? `, ETA ${totalIsKnown ? "" : "≤ "}${left} s` : "";
  return `${stage}: ${count} ${units[stage]}${speed}${eta}`;
}

/** With two digits that count where it is small: a fine pass of bark-small takes a software adapter a minute. */
function speedOf(rate: number): string {
  return rate < 1 ? rate.toPrecision(2) : rate.toFixed(1);
}

function bar(share: number): string {
  const filled = Math.round(Math.min(1, share) * barWidth);
  return `[${"#".repeat(filled)}${"-".repeat(barWidth - filled)}]`;
}
