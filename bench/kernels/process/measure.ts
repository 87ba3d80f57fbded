import { fork } from "node:child_process";
import "../../../engine/node/index.ts";
import { EngineError } from "../../../engine/errors.ts";
import type { Machine } from "../../measure/machine.ts";
import type { Roofline } from "../../roofline/roofline.ts";
import { firstLoop } from "../own/failure.ts";
import type { KernelResult } from "../run.ts";
import { timedBefore } from "../ladder.ts";
import type { KernelListener, KernelMeasurements } from "../run_all.ts";
// Part of the build although it is started, never imported.
import type {} from "./child.ts";
import type { Job, StartedRung, Told } from "./messages.ts";

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

/** Measures in processes of their own: where one ends with a kernel, the kernel failed and the next goes on in another. */
export async function measureApart(
  job: Omit<Job, "resumed">,
  { limit, signal }: Limits,
  listener: KernelListener & { readonly onMachine: (machine: Machine) => void },
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
  const hear = (told: Told): void => {
    if (told.kind === "machine") listener.onMachine((machine = told.machine));
    else if (told.kind === "roofline") listener.onRoofline((roofline = told.roofline));
    else if (told.kind === "rung") rung = told.rung;
    // JSON has no infinity.
    else if (told.kind === "result") keep({ ...told.result, error: told.result.error ?? Infinity });
  };
  for (;;) {
    const resumed = roofline === undefined ? undefined : { roofline, results };
    const end = await oneProcess({ ...job, resumed }, hear, () => (rung === undefined ? Infinity : limit), signal);
    if (end.kind === "done") break;
    if (rung === undefined || (end.kind === "error" && end.code !== "device-lost")) throw errorOf(end);
    keep(await lostRung(rung, end, limit));
  }
  if (machine === undefined || roofline === undefined) throw errorOf({ kind: "gone", how: "before it measured" });
  return { machine, roofline, results };
}

/** @param limitOf milliseconds that it may say nothing from now on. */
async function oneProcess(
  job: Job,
  hear: (told: Told) => void,
  limitOf: () => number,
  signal: AbortSignal | undefined,
): Promise<End> {
  const isSource = import.meta.url.endsWith(".ts");
  const child = fork(new URL(isSource ? "./child.ts" : "./child.js", import.meta.url), [], {
    // Of a kernel's module, standard output would mix with the table.
    stdio: ["ignore", 2, 2, "ipc"],
    ...(isSource && !("Deno" in globalThis) ? { execArgv: ["--import", import.meta.resolve("tsx")] } : {}),
  });
  const kill = (): void => void child.kill("SIGKILL");
  signal?.addEventListener("abort", kill);
  let overdue: NodeJS.Timeout | undefined;
  try {
    return await new Promise<End>((resolve) => {
      child.on("error", (error) => resolve({ kind: "gone", how: error.message }));
      child.on("exit", (code, killedBy) => resolve({ kind: "gone", how: killedBy ?? `exit code ${code}` }));
      child.on("message", (message) => {
        const told = message as Told;
        if (told.kind === "done" || told.kind === "error") return resolve(told);
        hear(told);
        clearTimeout(overdue);
        const limit = limitOf();
        if (limit < Infinity) overdue = setTimeout(() => resolve({ kind: "overdue" }), limit);
      });
      child.send(job);
    });
  } finally {
    clearTimeout(overdue);
    signal?.removeEventListener("abort", kill);
    kill();
  }
}

async function lostRung({ source, ...rung }: StartedRung, end: End, limit: number): Promise<KernelResult> {
  const loops = source === undefined ? undefined : await firstLoop(new URL(source));
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
    fix: "name another adapter by --device",
  });
}
