import type { AnyKernel } from "../engine/kernel.ts";
import { embeddingGivenKernel, embeddingKernel } from "./embedding/embedding.ts";
import { layernormThread, layernormWorkgroup } from "./layernorm/layernorm.ts";
import { gemm, gemv, gemvSplit } from "./matmul/matmul.ts";

/** Every kernel of the project, for the tests that compile all of them and for `bark doctor`. */
export const allKernels: readonly AnyKernel[] = [
  embeddingGivenKernel,
  embeddingKernel,
  gemm,
  gemv,
  gemvSplit,
  layernormThread,
  layernormWorkgroup,
];
