import type { AnyKernel } from "../engine/kernel.ts";
import { attentionKernel, attentionTileKernel, attentionWideKernel } from "./attention/attention.ts";
import { attentionWeightsKernel } from "./attention/attention_weights.ts";
import { attentionDecodeVersions, kvAppendKernel } from "./attention/decode.ts";
import { attentionScoresKernel, attentionSoftmaxKernel, attentionValuesKernel } from "./attention/strips.ts";
import { codebookNearest } from "./codebook/codebook.ts";
import { conv1dVersions } from "./conv1d/conv1d.ts";
import { elementwise } from "./elementwise/elementwise.ts";
import { embeddingGivenKernel, embeddingKernel } from "./embedding/embedding.ts";
import { layernormThread, layernormWorkgroup } from "./layernorm/layernorm.ts";
import { lstmSplit, lstmThread } from "./lstm/lstm.ts";
import { gemvSplitAttended, matmulVersions, normedVersions } from "./matmul/matmul.ts";
import { sampleRowsKernel, sampleStepKernel } from "./sample/sample.ts";

/** Every kernel of the project, for the tests that compile all of them and for `bark doctor`. */
export const allKernels: readonly AnyKernel[] = [
  ...Object.values(attentionDecodeVersions),
  attentionKernel,
  attentionScoresKernel,
  attentionSoftmaxKernel,
  attentionTileKernel,
  attentionValuesKernel,
  attentionWeightsKernel,
  attentionWideKernel,
  kvAppendKernel,
  codebookNearest,
  ...Object.values(conv1dVersions),
  elementwise,
  embeddingGivenKernel,
  embeddingKernel,
  ...Object.values(matmulVersions),
  ...Object.values(normedVersions),
  gemvSplitAttended,
  layernormThread,
  layernormWorkgroup,
  sampleRowsKernel,
  sampleStepKernel,
  lstmSplit,
  lstmThread,
];
