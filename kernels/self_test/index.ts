import { EngineError } from "../../engine/errors.ts";
import type { Gpu } from "../../engine/gpu.ts";
import { formatsOf, usesWeights } from "../../engine/shaders/shader_source.ts";
import type { MatrixFormat } from "../../engine/dtypes.ts";
import { attentionCases } from "./attention.ts";
import { CaseScope, type SelfTestCase } from "./case.ts";
import { codebookCases } from "./codebook.ts";
import { conv1dCases } from "./conv1d.ts";
import { decodeBlocksCases } from "./decode_blocks.ts";
import { elementwiseCases } from "./elementwise.ts";
import { embeddingCases } from "./embedding.ts";
import { layernormCases } from "./layernorm.ts";
import { lstmCases } from "./lstm.ts";
import { matmulCases } from "./matmul.ts";
import { sampleCases } from "./sample.ts";

const cases: readonly SelfTestCase[] = [
  ...attentionCases,
  ...codebookCases,
  ...conv1dCases,
  ...decodeBlocksCases,
  ...elementwiseCases,
  ...embeddingCases,
  ...layernormCases,
  ...lstmCases,
  ...matmulCases,
  ...sampleCases,
];

export interface SelfTestResult {
  /** Name of the kernel, followed by the weight format if it takes weights: `matmul.gemm f16`. */
  readonly kernel: string;
  readonly ok: boolean;
  /** Largest |actual - reference|; infinite if a value is not a number or the kernel did not run. */
  readonly worst: number;
  /** Up to this `worst` is ok. */
  readonly tolerance: number;
  /** One line: why the kernel did not run. */
  readonly error?: string;
}

/** Runs a small case of every kernel that the device supports, in every weight format, against its reference in f64. */
export async function* selfTest(gpu: Gpu): AsyncGenerator<SelfTestResult> {
  for (const kernelCase of cases.filter(({ kernel }) => gpu.supports(kernel)))
    for (const format of formatsOf(kernelCase.kernel)) yield await runCase(gpu, kernelCase, format);
}

/** Runs one case; its exception becomes the result's error. */
export async function runCase(
  gpu: Gpu,
  { kernel, tolerance, record }: SelfTestCase,
  format: MatrixFormat,
): Promise<SelfTestResult> {
  const name = usesWeights(kernel) ? `${kernel.name} ${format}` : kernel.name;
  const scope = new CaseScope(gpu, format);
  try {
    const outputs = record(scope);
    // A case that forgot to force its version would pass for a kernel that never ran.
    if (!scope.commands.kernelNames.includes(kernel.name)) throw new Error("its case runs another kernel");
    await scope.commands.run();
    let worst = 0;
    for (const [tensor, expected] of outputs) worst = Math.max(worst, worstDifference(await tensor.read(), expected));
    return { kernel: name, ok: worst <= tolerance, worst, tolerance };
  } catch (error) {
    return { kernel: name, ok: false, worst: Infinity, tolerance, error: lineOf(error) };
  } finally {
    scope.dispose();
  }
}

/** Largest |actual - expected|; infinite if a value is not a number or there are too few or too many. */
function worstDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let worst = actual.length === expected.length ? 0 : Infinity;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    worst = Math.max(worst, Number.isNaN(difference) ? Infinity : difference);
  }
  return worst;
}

function lineOf(error: unknown): string {
  if (error instanceof EngineError) return error.message;
  return error instanceof Error ? error.message : String(error);
}
