import type { BarkProgress } from "../../bark/generate/output.ts";
import { note } from "./print.ts";

type Stage = BarkProgress["stage"] | "convert" | "download";
type Progress = Omit<BarkProgress, "stage"> & { stage: Stage };

/** Weights and bytes come in millions. */
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
const [leastBar, mostBar] = [8, 24];
/** Milliseconds between two lines in a log file, where nothing overwrites them. */
const plainInterval = 2000;
/** Milliseconds: a stage's first reports wait for kernels to compile and would spoil the estimate. */
const leastMilliseconds = 500;

/** Shows progress on stderr: one line for each stage, rewritten on a terminal; plain lines elsewhere. */
export class ProgressLine {
  readonly #rewrites = rewritesLines();
  #first: Progress | undefined;
  #last: Progress | undefined;
  #shownAt = performance.now();
  /** Estimate of the semantic tokens, from the text. */
  expectedTokens: number | undefined;

  readonly report = (progress: Progress): void => {
    if (progress.stage !== this.#first?.stage) {
      this.end();
      this.#first = progress;
      this.#shownAt = performance.now();
    }
    this.#last = progress;
    if (!this.#rewrites && performance.now() - this.#shownAt < plainInterval) return;
    this.#show();
  };

  /** Writes words on a line of their own. */
  readonly note = (line: string): void => {
    if (this.#rewrites && this.#last !== undefined) process.stderr.write("\r\x1b[K");
    note(line);
    if (this.#rewrites && this.#last !== undefined) this.#show();
  };

  /** Leaves the last stage's line as it ended. */
  end(): void {
    if (this.#last !== undefined) this.#show(true);
    if (this.#last !== undefined && this.#rewrites) process.stderr.write("\n");
    this.#first = this.#last = undefined;
  }

  #show(hasEnded = false): void {
    const [first, last] = [this.#first!, this.#last!];
    const total = last.totalIsKnown ? last.total : Math.min(last.total, this.expectedTokens ?? last.total);
    const text = hasEnded ? describeEnd(last) : describeProgress(last, first, total);
    this.#shownAt = performance.now();
    if (!this.#rewrites) process.stderr.write(`${text}\n`);
    else process.stderr.write(`\r\x1b[K${fitted(text, hasEnded ? 1 : last.done / total, process.stderr.columns)}`);
  }
}

/** Whether a line on stderr can be taken back. */
export function rewritesLines(): boolean {
  return process.stderr.isTTY && process.env["TERM"] !== "dumb" && !isSet(process.env["CI"]);
}

function isSet(variable: string | undefined): boolean {
  return variable !== undefined && !["", "0", "false"].includes(variable);
}

/** `coarse: 120/480 tokens, 35.1 tokens/s, ETA 11 s`; rate and estimate are those since the report `first`. */
export function describeProgress(progress: Progress, first: Progress, total: number): string {
  const { stage, done, totalIsKnown } = progress;
  const isBeyond = !totalIsKnown && done >= total;
  const count = counterOf(stage, total);
  const of = isBeyond ? "" : totalIsKnown ? `/${count(total)}` : ` of about ${count(total)}`;
  const milliseconds = progress.milliseconds - first.milliseconds;
  const rate = milliseconds < leastMilliseconds ? 0 : (done - first.done) / (milliseconds / 1000);
  const left =
    rate > 0 && !isBeyond ? `, ETA ${totalIsKnown ? "" : "about "}${Math.ceil((total - done) / rate)} s` : "";
  return `${stage}: ${count(Math.min(done, isBeyond ? done : total))}${of} ${units[stage]}${speedOf(stage, rate)}${left}`;
}

/** `coarse: 480 tokens, 35.1 tokens/s, 13.7 s` of the whole stage. */
export function describeEnd({ stage, done, milliseconds }: Progress): string {
  const rate = milliseconds > 0 ? done / (milliseconds / 1000) : 0;
  return `${stage}: ${counterOf(stage, done)(done)} ${units[stage]}${speedOf(stage, rate)}, ${(milliseconds / 1000).toFixed(1)} s`;
}

/** A count in the stage's unit, with as many digits as its total, so that the last one is equal to it. */
function counterOf(stage: Stage, total: number): (value: number) => string {
  const scale = scales[stage] ?? 1;
  const digits = scale > 1 && total / scale < 100 ? 1 : 0;
  return (value) => (value / scale).toFixed(digits);
}

/** With two digits that count where it is small: a fine pass of bark-small takes a software adapter a minute. */
function speedOf(stage: Stage, rate: number): string {
  if (rate <= 0) return "";
  const scaled = rate / (scales[stage] ?? 1);
  return `, ${scaled < 1 ? scaled.toPrecision(2) : scaled.toFixed(1)} ${units[stage]}/s`;
}

/** One line no wider than the terminal, which could not take it back: the bar gives way first. */
export function fitted(text: string, share: number, columns: number | undefined): string {
  // In the last column some terminals begin a new line.
  const width = (columns || 80) - 1;
  const bar = Math.min(mostBar, width - text.length - "[] ".length);
  if (bar < leastBar) return text.slice(0, width);
  const filled = Math.round(Math.min(1, share) * bar);
  return `[${"#".repeat(filled)}${"-".repeat(bar - filled)}] ${text}`;
}
