import type { AnyKernel } from "../engine/kernel.ts";
import {
  attentionDecodeVersions,
  attentionVersions,
  attentionWeightsKernel,
  kvAppendKernel,
} from "./attention/versions.ts";
import { codebookNearest } from "./codebook/versions.ts";
import { conv1dVersions } from "./conv1d/versions.ts";
import { elementwise } from "./elementwise/versions.ts";
import { embeddingGivenKernel, embeddingKernel } from "./embedding/versions.ts";
import { layernormVersions } from "./layernorm/versions.ts";
import { lstmVersions } from "./lstm/versions.ts";
import { gemvSplitAttended, matmulVersions, normedVersions } from "./matmul/versions.ts";
import { sampleRowsKernel, sampleStepKernel } from "./sample/versions.ts";
import { kernelsOf } from "./version.ts";

/** Every kernel that the library can run, for `bark doctor` and the tests that compile all of them. */
export const allKernels: readonly AnyKernel[] = [
  ...kernelsOf(attentionVersions),
  ...kernelsOf(attentionDecodeVersions),
  attentionWeightsKernel,
  kvAppendKernel,
  codebookNearest,
  ...kernelsOf(conv1dVersions),
  elementwise,
  embeddingKernel,
  embeddingGivenKernel,
  ...kernelsOf(layernormVersions),
  ...kernelsOf(lstmVersions),
  ...kernelsOf(matmulVersions),
  ...kernelsOf(normedVersions),
  gemvSplitAttended,
  sampleRowsKernel,
  sampleStepKernel,
];
