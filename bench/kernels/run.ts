import { EngineError } from "../../engine/errors.ts";
import type { Gpu } from "../../engine/gpu.ts";
import type { Program } from "../../engine/program/program.ts";
import type { MatrixFormat } from "../../engine/dtypes.ts";
import { Stopwatch, type Effort, type Timing } from "../measure/stopwatch.ts";
import type { Roofline } from "../roofline/roofline.ts";
import { Scope, type Comparison, type KernelCase, type PreparedCase } from "./case.ts";

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
  readonly timing?: Timing;
  readonly gigaflops?: number;
  readonly gigabytesPerSecond?: number;
  /** The time that the roofline allows as a share of the time taken. */
  readonly share?: number;
  /** What the roofline is bound by. */
  readonly bound?: "bandwidth" | "compute";
}

/** Sums of thousands of f32 products stay far below; a wrong index is far above. */
export const tolerance = 1e-4;

/** Checks and times every version of a case. Versions that cannot do its shape are left out. */
export async function* runCase(
  gpu: Gpu,
  kernelCase: KernelCase,
  options: { format: MatrixFormat; roofline: Roofline; effort: Effort },
): AsyncGenerator<KernelResult> {
  const scope = new Scope(gpu, options.format);
  const stopwatch = new Stopwatch(gpu);
  try {
    const prepared = await kernelCase.prepare(scope);
    const chosen = namesOf(gpu, (program) => prepared.record(program, undefined, 0));
    for (const version of kernelCase.versions) {
      const record = (program: Program, copy: number): void => prepared.record(program, version, copy);
      const names = kernelNames(gpu, record);
      if (names === undefined) continue;
      const error = await errorOf(gpu, prepared, version);
      const { op, shape } = kernelCase;
      const kernels = [...new Set(names.split(" "))];
      const result = { op, shape, version, kernels, chosen: names === chosen, error, correct: error <= tolerance };
      if (!result.correct) {
        yield result;
        continue;
      }
      const timing = await stopwatch.measure(`${op} ${version}`, prepared.copies, record, options.effort);
      yield { ...result, timing, ...rates(kernelCase, timing, options) };
    }
  } finally {
    stopwatch.dispose();
    scope.dispose();
  }
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
    return program.kernelNames.join(" ");
  } finally {
    program.dispose();
  }
}

async function errorOf(gpu: Gpu, prepared: PreparedCase, version: string): Promise<number> {
  prepared.reset();
  const program = gpu.program("bench check");
  try {
    prepared.record(program, version, 0);
    await program.run();
    return Math.max(...(await prepared.check()).map(relativeError));
  } finally {
    program.dispose();
  }
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
  { milliseconds }: Timing,
  { format, roofline }: { format: MatrixFormat; roofline: Roofline },
): Pick<KernelResult, "gigaflops" | "gigabytesPerSecond" | "share" | "bound"> {
  const moved = bytes(bytesOfWeight[format]);
  const compute = flops / roofline.gigaflops / 1e6;
  const bandwidth = moved / roofline.gigabytesPerSecond / 1e6;
  return {
    gigaflops: flops / milliseconds.median / 1e6,
    gigabytesPerSecond: moved / milliseconds.median / 1e6,
    share: Math.max(compute, bandwidth) / milliseconds.median,
    bound: compute > bandwidth ? "compute" : "bandwidth",
  };
}
