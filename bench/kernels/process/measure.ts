import { EngineError } from "../../../engine/errors.ts";
import { describeProcessor, type Machine } from "../../measure/machine.ts";
import type { Roofline } from "../../roofline/roofline.ts";
import { timedBefore } from "../ladder.ts";
import type { KernelResult } from "../run.ts";
import type { KernelListener, KernelMeasurements } from "../run_all.ts";
import type { Job, Start, StartedRung, Told } from "./messages.ts";

/** How a process ended. */
type End =
  | { readonly kind: "done" }
  | { readonly kind: "error"; readonly code: string; readonly line: string }
  | { readonly kind: "gone"; readonly how: string }
  | { readonly kind: "overdue" };

export interface Limits {
  /** Milliseconds of one run of a kernel after which it counts as one that does not end. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

export interface ApartListener extends Pick<KernelListener, "onRoofline" | "onResult"> {
  readonly onMachine: (machine: Machine) => void;
  readonly onNote?: (line: string) => void;
}

/** Measures in processes of their own: where one ends with a kernel, the kernel failed and the next goes on in another. */
export async function measureApart(
  start: Start,
  job: Omit<Job, "resumed">,
  { limit, signal }: Limits,
  listener: ApartListener,
): Promise<KernelMeasurements & { readonly machine: Machine }> {
  const results: KernelResult[] = [];
  let machine: Machine | undefined;
  let roofline: Roofline | undefined;
  let rung: StartedRung | undefined;
  const keep = (result: KernelResult): void => {
    const ladder = [...results, result].filter(({ op, shape }) => op === result.op && shape === result.shape);
    results.push(result);
    rung = undefined;
    listener.onResult(result, ladder[0], timedBefore(ladder, ladder.length - 1));
  };
  const hear = (told: Told, runtime: string): void => {
    if (told.kind === "adapter" && machine === undefined)
      listener.onMachine((machine = { ...describeProcessor(), runtime, ...told.adapter }));
    else if (told.kind === "note" && roofline === undefined) listener.onNote?.(told.line);
    else if (told.kind === "roofline") listener.onRoofline((roofline = told.roofline));
    else if (told.kind === "rung") rung = told.rung;
    // JSON has no infinity.
    else if (told.kind === "result") keep({ ...told.result, error: told.result.error ?? Infinity });
  };
  for (;;) {
    const resumed = roofline === undefined ? undefined : { roofline, results };
    const limitOf = (): number => (rung === undefined ? Infinity : limit);
    const end = await oneProcess(start, { ...job, resumed }, hear, limitOf, signal);
    if (end.kind === "done") break;
    signal?.throwIfAborted(); // Else the next browser would outlive this process.
    if (rung === undefined || (end.kind === "error" && end.code !== "device-lost")) throw errorOf(end);
    keep(lostRung(rung, end, limit));
  }
  if (machine === undefined || roofline === undefined) throw errorOf({ kind: "gone", how: "before it measured" });
  return { machine, roofline, results };
}

/** @param limitOf milliseconds that it may say nothing from now on. */
async function oneProcess(
  start: Start,
  job: Job,
  hear: (told: Told, runtime: string) => void,
  limitOf: () => number,
  signal: AbortSignal | undefined,
): Promise<End> {
  let overdue: NodeJS.Timeout | undefined;
  let runtime = "";
  let resolve: (end: End) => void;
  const ended = new Promise<End>((settle) => (resolve = settle));
  const started = await start(
    job,
    (told) => {
      if (told.kind === "done" || told.kind === "error") return resolve(told);
      hear(told, runtime);
      clearTimeout(overdue);
      const limit = limitOf();
      if (limit < Infinity) overdue = setTimeout(() => resolve({ kind: "overdue" }), limit);
    },
    (how) => resolve({ kind: "gone", how }),
  );
  runtime = started.runtime;
  const kill = (): void => void started.end();
  signal?.addEventListener("abort", kill);
  if (signal?.aborted) kill(); // While it started.
  try {
    return await ended;
  } finally {
    clearTimeout(overdue);
    signal?.removeEventListener("abort", kill);
    await started.end();
  }
}

function lostRung({ loops, ...rung }: StartedRung, end: End, limit: number): KernelResult {
  const look = loops === undefined ? "" : `; look at ${loops}`;
  const failed =
    end.kind === "overdue"
      ? `did not end within ${limit / 1000} s and was ended with its process${look}; --limit SECONDS gives it longer`
      : `ended its process (${end.kind === "gone" ? end.how : "the device was lost"}): an index past the end, or a run too long for the driver${look}`;
  return { ...rung, chosen: false, error: Infinity, correct: false, failed };
}

function errorOf(end: End): EngineError {
  if (end.kind === "error") return new EngineError(end.code as EngineError["code"], end.line);
  const how = end.kind === "gone" ? end.how : end.kind;
  return new EngineError("internal", `the process that measures ended: ${how}`, {
    fix: "try another adapter (--device) or runtime (--in-chromium)",
  });
}
