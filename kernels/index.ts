import type { AnyKernel } from "../engine/kernel.ts";
import { attentionDecodeKernel, attentionKernel, kvAppendKernel } from "./attention/attention.ts";
import { conv1dKernel } from "./conv1d/conv1d.ts";
import { elementwise } from "./elementwise/elementwise.ts";
import { embeddingGivenKernel, embeddingKernel } from "./embedding/embedding.ts";
import { layernormThread, layernormWorkgroup } from "./layernorm/layernorm.ts";
import { lstmSplit, lstmThread } from "./lstm/lstm.ts";
import { gemm, gemv, gemvSplit } from "./matmul/matmul.ts";
import { sampleRowsKernel, sampleStepKernel } from "./sample/sample.ts";

/** Every kernel of the project, for the tests that compile all of them and for `bark doctor`. */
export const allKernels: readonly AnyKernel[] = [
  attentionDecodeKernel,
  attentionKernel,
  kvAppendKernel,
  conv1dKernel,
  elementwise,
  embeddingGivenKernel,
  embeddingKernel,
  gemm,
  gemv,
  gemvSplit,
  layernormThread,
  layernormWorkgroup,
  sampleRowsKernel,
  sampleStepKernel,
  lstmSplit,
  lstmThread,
];
