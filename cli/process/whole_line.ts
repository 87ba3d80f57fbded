import type { BarkProgress } from "../../bark/generate/output.ts";
import type { WholeProgress } from "../../speech/meter.ts";
import { fitted, rewritesLines } from "./progress.ts";
import { note } from "./print.ts";

/** Milliseconds between two lines in a log file, where nothing overwrites them. */
const plainInterval = 10_000;

/** Shows on stderr how far a whole text is spoken: one line, rewritten on a terminal; plain lines elsewhere. */
export class WholeLine {
  readonly #rewrites = rewritesLines();
  #shown = "";
  #shownAt = -Infinity;

  readonly report = (whole: WholeProgress, stage?: BarkProgress): void => {
    if (!this.#rewrites && performance.now() - this.#shownAt < plainInterval && whole.done < whole.pieces) return;
    this.#shownAt = performance.now();
    const { seconds, seconds_left } = whole;
    const text = `${describeWhole(whole)}${stage === undefined ? "" : `; ${stage.stage}`}`;
    if (!this.#rewrites) process.stderr.write(`${text}\n`);
    else {
      this.#shown = fitted(text, seconds / Math.max(seconds + seconds_left, 1e-9), process.stderr.columns);
      process.stderr.write(`\r\x1b[K${this.#shown}`);
    }
  };

  /** Writes words on a line of their own. */
  readonly note = (line: string): void => {
    if (this.#shown !== "") process.stderr.write("\r\x1b[K");
    note(line);
    process.stderr.write(this.#shown);
  };

  /** Leaves the line as it is. */
  end(): void {
    if (this.#shown !== "") process.stderr.write("\n");
    this.#shown = "";
  }
}

/** `12 of 340 pieces, 1:15 of sound, about 34:10 left, 1 retry, 0.82 × real time`. */
export function describeWhole({
  done,
  pieces,
  seconds,
  seconds_left,
  retries,
  real_time_factor,
}: WholeProgress): string {
  const left = done < pieces ? [`about ${clock(seconds_left)} left`] : [];
  const again = retries > 0 ? [`${retries} ${retries === 1 ? "retry" : "retries"}`] : [];
  const factor = real_time_factor === null ? [] : [`${real_time_factor.toFixed(2)} × real time`];
  return [`${done} of ${pieces} pieces`, `${clock(seconds)} of sound`, ...left, ...again, ...factor].join(", ");
}

/** Minutes and seconds, and hours where there are any. */
function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
