import { floatToHalf, halfToFloat } from "../../engine/formats/float16.ts";
import type { Gpu } from "../../engine/gpu.ts";
import type { AnyKernel } from "../../engine/kernel.ts";
import type { Program } from "../../engine/program/program.ts";
import { Scope } from "../../engine/scope.ts";
import type { MatrixFormat, WeightFormat } from "../../engine/dtypes.ts";
import type { Tensor } from "../../engine/tensor.ts";

/** A tensor that the kernel wrote, and the values it should hold. */
export type Output = readonly [actual: Tensor, expected: ArrayLike<number>];

/** One small problem for one kernel. */
export interface SelfTestCase {
  readonly kernel: AnyKernel;
  /** Largest difference allowed; 0 for copies and picks. */
  readonly tolerance: number;
  /** Records the kernel, by its forced version, into `scope.commands`. */
  readonly record: (scope: CaseScope) => readonly Output[];
}

/** For sums of some dozens of products of values up to 2 in f32: rounding stays far below, a wrong index far above. */
export const rounding = 2e-5;

/** The tensors of a case and the program that it records into. */
export class CaseScope extends Scope {
  readonly commands: Program;
  readonly matrixFormat: MatrixFormat;

  constructor(gpu: Gpu, format: MatrixFormat) {
    super(gpu);
    this.matrixFormat = format;
    this.commands = this.program("self test");
  }

  /** The format of weights other than the matrix of a product. */
  get format(): WeightFormat {
    if (this.matrixFormat === "q8") throw new Error("only matrices come in q8");
    return this.matrixFormat;
  }

  f32(values: Float32Array<ArrayBuffer>, shape: readonly number[] = [values.length]): Tensor<"f32"> {
    return this.tensorFrom("f32", shape, values, "self test");
  }

  u32(values: Uint32Array<ArrayBuffer>): Tensor<"u32"> {
    return this.tensorFrom("u32", [values.length], values, "self test");
  }

  /** The values that weights keep in this format: f16 rounds them once. */
  stored(weights: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
    return this.format === "f32" ? weights : weights.map((value) => halfToFloat(floatToHalf(value)));
  }
}
