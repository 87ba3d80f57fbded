import type { Gpu } from "../engine/gpu.ts";
import type { MatrixFormat } from "../engine/dtypes.ts";
import { TuneBench } from "./tune_bench.ts";

/** Milliseconds that a tune may take, compiling included. */
const usualBudget = 200;
/** Tries of every version that count. */
const tries = 3;
/** A version must take less than this share of the time of the one chosen without a tune: clocks are not exact. */
const clearly = 0.95;

/** An op, its versions (first the one that is chosen without a tune), and milliseconds of one try of a version. */
export interface Contest {
  readonly op: string;
  readonly versions: readonly string[];
  readonly time: (version: string) => Promise<number>;
}

const tunes = new WeakMap<Gpu, Promise<void>>();

/**
 * Times the versions that a GPU may be the fastest with, once for the life of a `Gpu`, and notes the winners in
 * `gpu.versions`. What was forced stays, and so does what was not decided when the budget is spent; never rejects.
 * Software adapters are left out: lavapipe compiles for 0.1 to 3 s at the first dispatch of a kernel. Nothing is kept
 * for the next process, since WebGPU gives an adapter no name that is its own for good.
 * @param format in which the weights of most matrices are stored.
 */
export function tune(gpu: Gpu, format: MatrixFormat, milliseconds = usualBudget): Promise<void> {
  const before = tunes.get(gpu);
  if (before !== undefined) return before;
  const run = gpu.mayTune && !gpu.isSoftware ? runTune(gpu, format, milliseconds) : Promise.resolve();
  tunes.set(gpu, run);
  return run;
}

async function runTune(gpu: Gpu, format: MatrixFormat, milliseconds: number): Promise<void> {
  let bench: TuneBench | undefined;
  try {
    bench = new TuneBench(gpu, format);
    const open = bench.contests().filter(({ op, versions }) => !gpu.versions.has(op) && versions.length > 1);
    for (const [op, version] of await decide(open, milliseconds)) gpu.versions.set(op, version);
  } catch {
    // A device that cannot make the operands cannot hold a model either, which says so better.
  } finally {
    bench?.dispose();
  }
}

/** The fastest version of each op, as far as the milliseconds reach; what is under way at their end is not waited for. */
export async function decide(contests: readonly Contest[], milliseconds: number): Promise<Map<string, string>> {
  const end = performance.now() + milliseconds;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const spent = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("the budget is spent")), milliseconds);
  });
  spent.catch(() => undefined); // It may end between two contests, when nobody waits for it.
  const decided = new Map<string, string>();
  for (const { op, versions, time } of contests) {
    // Also where the timer is late, because a runtime compiles within a call.
    const timeWithin = async (version: string): Promise<number> =>
      performance.now() < end ? await Promise.race([time(version), spent]) : await spent;
    const winner = await fastest(versions, timeWithin).catch(() => undefined);
    if (winner !== undefined) decided.set(op, winner);
  }
  clearTimeout(timer);
  return decided;
}

/** The version of the least time, in turns so that a clock rate that changes meets all of them; the first if in doubt. */
async function fastest(versions: readonly string[], time: Contest["time"]): Promise<string> {
  const least = new Map<string, number>();
  for (let i = 0; i < tries; i++)
    for (const version of versions) {
      const milliseconds = await time(version);
      if (!(milliseconds > 0)) throw new Error("a clock that stood still");
      least.set(version, Math.min(least.get(version) ?? Infinity, milliseconds));
    }
  const [usual, ...others] = versions;
  const best = others.reduce((a, b) => (least.get(b)! < least.get(a)! ? b : a), usual);
  return least.get(best)! < clearly * least.get(usual)! ? best : usual;
}
