import { EngineError } from "../../engine/errors.ts";
import type { Gpu } from "../../engine/gpu.ts";
import type { Program } from "../../engine/program/program.ts";
import type { MatrixFormat } from "../../engine/dtypes.ts";
import { Stopwatch, type Effort, type Timing } from "../measure/stopwatch.ts";
import type { Roofline } from "../roofline/roofline.ts";
import { Scope, type Comparison, type KernelCase, type PreparedCase } from "./cases/case.ts";
import { checkBounds } from "./own/bounds.ts";
import { failureOf, requireSupport } from "./own/failure.ts";
import type { Operation } from "./cases/operation.ts";
import type { PeerEngine } from "./peer.ts";
import { fitOwn, misfitOf, type OwnKernel, type OwnRung } from "./own/own_kernel.ts";

/** What one version of one op does at one shape. */
export interface KernelResult {
  readonly op: string;
  readonly shape: string;
  readonly version: string;
  /** Names of the kernels that it dispatches. */
  readonly kernels?: readonly string[];
  /** Whether the engine takes this version here. */
  readonly chosen: boolean;
  /** Largest difference from the reference as a share of its largest value; over {@link tolerance} nothing is timed. */
  readonly error: number;
  readonly correct: boolean;
  /** Why it could not be run at all: one line for people. */
  readonly failed?: string;
  /** What was left out: one line for people. */
  readonly notice?: string;
  readonly timing?: Timing;
  readonly gigaflops?: number;
  readonly gigabytesPerSecond?: number;
  /** The time that the roofline allows as a share of the time taken. */
  readonly share?: number;
  /** What takes the most of that time: reading each operand once, arithmetic, or starting the dispatches. */
  readonly bound?: Bound;
}

export type Bound = "loads" | "arithmetic" | "dispatch";

/** How a case is run. */
export interface RunOptions {
  readonly format: MatrixFormat;
  readonly roofline: Roofline;
  readonly effort: Effort;
  /** Another clock than the adapter's. */
  readonly clock?: "cpu" | undefined;
  /** Kernels from outside the repository: rungs behind those of the case. */
  readonly own?: readonly OwnKernel[];
  /** Kernels of other engines: the last rungs of a case. */
  readonly peers?: readonly PeerEngine[];
  /** Versions that were run before. */
  readonly skip?: ReadonlySet<string>;
  /** Told the version that is run next, and the own kernel that it is. */
  readonly onRung?: (version: string, own: OwnRung | undefined) => Promise<void>;
  /** Told an own kernel that can stand for no version of the case, and why. */
  readonly onMisfit?: (own: OwnKernel, why: string) => void;
  /** Called before each batch of runs. */
  readonly onBatch?: () => void;
}

/** Sums of thousands of f32 products stay far below; a wrong index is far above. */
export const tolerance = 1e-4;

/**
 * Checks and times every version of a case. Versions that cannot do its shape are left out; one that fails says why, and
 * the next goes on. @throws EngineError `device-lost`: then nothing goes on.
 */
export async function* runCase(gpu: Gpu, kernelCase: KernelCase, options: RunOptions): AsyncGenerator<KernelResult> {
  const scope = new Scope(gpu, options.format);
  const stopwatch = new Stopwatch(gpu, options.clock);
  try {
    const prepared = await kernelCase.prepare(scope);
    const chosen = namesOf(gpu, (program) => prepared.record(program, undefined, 0));
    for (const rung of rungsOf(gpu, kernelCase, prepared, options)) {
      if (options.skip?.has(rung.version)) continue;
      await options.onRung?.(rung.version, rung.own);
      const base = { ...resultOf(kernelCase, rung), chosen: rung.names === chosen };
      try {
        yield await runRung(gpu, stopwatch, kernelCase, prepared, rung, base, options);
      } catch (error) {
        if (error instanceof EngineError && error.code === "device-lost") throw error;
        yield { ...base, failed: await failureOf(error, rung.own?.kernel) };
      }
    }
    if (prepared.operation !== undefined)
      for (const peer of options.peers ?? []) {
        if ([...(options.skip ?? [])].some((version) => isRungOf(peer, version))) continue;
        await options.onRung?.(peerRung(peer), undefined);
        yield await runPeer(peer, kernelCase, prepared, prepared.operation(), options);
      }
  } finally {
    stopwatch.dispose();
    scope.dispose();
  }
}

function peerRung({ name }: Pick<PeerEngine, "name">, parts?: string): string {
  return `${name}${parts === undefined ? "" : `, ${parts}`} (peer)`;
}

function isRungOf({ name }: PeerEngine, version: string): boolean {
  return version === peerRung({ name }) || (version.startsWith(`${name}, `) && version.endsWith(" (peer)"));
}

/** Checks and times the kernels with which another engine does a case's work. */
async function runPeer(
  peer: PeerEngine,
  kernelCase: KernelCase,
  prepared: PreparedCase,
  operation: Operation,
  options: RunOptions,
): Promise<KernelResult> {
  const { op, shape } = kernelCase;
  const base = { op, shape, version: peerRung(peer), chosen: false, error: Infinity, correct: false };
  try {
    const work = await peer.record(operation, prepared.copies, options.onBatch);
    const stopwatch = new Stopwatch(peer, options.clock);
    try {
      const error = worstOf(await prepared.check(await work.result()));
      const result = { ...base, version: peerRung(peer, work.parts), error, correct: error <= tolerance };
      if (!result.correct) return result;
      let next = 0;
      const timing = await stopwatch.measureBatches(async (runs) => {
        options.onBatch?.();
        return await stopwatch.time((pass) => {
          for (let run = 0; run < runs; run++) work.encode(pass, next++ % work.copies);
        });
      }, options.effort);
      const notice = work.notice === undefined ? {} : { notice: work.notice };
      return { ...result, ...notice, timing, ...rates(kernelCase, work.dispatches, timing, options) };
    } finally {
      stopwatch.dispose();
      await work.dispose();
    }
  } catch (error) {
    return { ...base, failed: (error as Error).message.split("\n")[0] };
  }
}

interface Rung {
  readonly version: string;
  /** Of the kernels that a run dispatches, in order. */
  readonly names: string;
  readonly record: (program: Program, copy: number) => void;
  readonly own?: OwnRung;
}

function* rungsOf(gpu: Gpu, kernelCase: KernelCase, prepared: PreparedCase, options: RunOptions): Generator<Rung> {
  for (const version of kernelCase.versions) {
    const record = (program: Program, copy: number): void => prepared.record(program, version, copy);
    const names = kernelNames(gpu, record);
    if (names !== undefined) yield { version, names, record };
  }
  for (const given of options.own ?? []) {
    const own = fitOwn(gpu, kernelCase, prepared, given);
    if (own === undefined) options.onMisfit?.(given, misfitOf(gpu, kernelCase, prepared, given));
    else yield { version: own.version, names: own.kernel.name, record: own.record, own };
  }
}

/** What is known of a rung before it runs. */
function resultOf({ op, shape }: KernelCase, { version, names }: Rung): KernelResult {
  const kernels = [...new Set(names.split("\n"))];
  return { op, shape, version, kernels, chosen: false, error: Infinity, correct: false };
}

async function runRung(
  gpu: Gpu,
  stopwatch: Stopwatch,
  kernelCase: KernelCase,
  prepared: PreparedCase,
  { version, names, record, own }: Rung,
  base: KernelResult,
  options: RunOptions,
): Promise<KernelResult> {
  const untested = own === undefined ? undefined : await admit(gpu, own);
  const error = await errorOf(gpu, prepared, record);
  const notice = untested === undefined ? {} : { notice: `its indices were not tested: ${untested}` };
  const result = { ...base, error, correct: error <= (kernelCase.errors?.[version] ?? tolerance), ...notice };
  if (!result.correct) return result;
  const recordBatch = (program: Program, copy: number): void => {
    options.onBatch?.();
    record(program, copy);
  };
  const label = `${kernelCase.op} ${version}`;
  const timing = await stopwatch.measure(gpu, label, prepared.copies, recordBatch, options.effort);
  return { ...result, timing, ...rates(kernelCase, names.split("\n").length, timing, options) };
}

/** Compiles an own kernel and tests its indices. @returns why these could not be tested, if so. */
async function admit(gpu: Gpu, own: OwnRung): Promise<string | undefined> {
  requireSupport(gpu, own.kernel);
  const program = gpu.program("bench compile");
  try {
    own.record(program, 0);
    await program.ready();
  } finally {
    program.dispose();
  }
  return await checkBounds(gpu, own);
}

/** Names of the kernels that a run consists of, or `undefined` if the version that is forced cannot do the shape. */
function kernelNames(gpu: Gpu, record: (program: Program, copy: number) => void): string | undefined {
  try {
    return namesOf(gpu, (program) => record(program, 0));
  } catch (error) {
    if (error instanceof EngineError && error.code === "usage") return undefined;
    throw error;
  }
}

function namesOf(gpu: Gpu, record: (program: Program) => void): string {
  const program = gpu.program("bench");
  try {
    record(program);
    return program.kernelNames.join("\n");
  } finally {
    program.dispose();
  }
}

async function errorOf(
  gpu: Gpu,
  prepared: PreparedCase,
  record: (program: Program, copy: number) => void,
): Promise<number> {
  prepared.reset();
  const program = gpu.program("bench check");
  try {
    record(program, 0);
    await program.run();
    return worstOf(await prepared.check());
  } finally {
    program.dispose();
  }
}

function worstOf(comparisons: readonly Comparison[]): number {
  return Math.max(...comparisons.map(relativeError));
}

/** Infinite if a value is not a number or there are too few or too many. */
function relativeError({ actual, expected, exact = false }: Comparison): number {
  if (actual.length !== expected.length) return Infinity;
  let [worst, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    worst = Math.max(worst, Number.isNaN(difference) ? Infinity : difference);
    largest = Math.max(largest, Math.abs(expected[i]));
  }
  if (worst === 0) return 0;
  return exact ? Infinity : worst / largest;
}

/** q8: 32 bytes and a scale for 32 weights. */
const bytesOfWeight: Record<MatrixFormat, number> = { f32: 4, f16: 2, q8: 36 / 32 };

function rates(
  { flops, bytes }: KernelCase,
  dispatches: number,
  { milliseconds }: Timing,
  { format, roofline }: Pick<RunOptions, "format" | "roofline">,
): Pick<KernelResult, "gigaflops" | "gigabytesPerSecond" | "share" | "bound"> {
  const moved = bytes(bytesOfWeight[format]);
  const least: Record<Bound, number> = {
    loads: moved / roofline.gigabytesPerSecond / 1e6,
    arithmetic: flops / roofline.gigaflops / 1e6,
    dispatch: (dispatches * roofline.dispatchMicroseconds) / 1e3,
  };
  const bounds = Object.entries(least) as [Bound, number][];
  const [bound, time] = bounds.reduce((most, other) => (other[1] > most[1] ? other : most));
  return {
    gigaflops: flops / milliseconds.median / 1e6,
    gigabytesPerSecond: moved / milliseconds.median / 1e6,
    share: time / milliseconds.median,
    bound,
  };
}
