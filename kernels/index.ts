/** `bark-webgpu/kernels`: the ops that a model is recorded from, on the tensors and programs of `bark-webgpu/engine`. */
import type { AnyKernel } from "../engine/kernel.ts";
import {
  attentionDecodeVersions,
  attentionVersions,
  attentionWeightsKernel,
  kvAppendKernel,
} from "./attention/versions.ts";
import { codebookNearest } from "./codebook/versions.ts";
import { conv1dVersions } from "./conv1d/versions.ts";
import { decodeBlocksVersions } from "./decode_blocks/versions.ts";
import { elementwise } from "./elementwise/versions.ts";
import { embeddingGivenKernel, embeddingKernel } from "./embedding/versions.ts";
import { layernormVersions } from "./layernorm/versions.ts";
import { lstmVersions } from "./lstm/versions.ts";
import { gemvSplitAttended, matmulVersions, normedVersions } from "./matmul/versions.ts";
import { sampleRowsKernel, sampleStepKernel } from "./sample/versions.ts";
import { kernelsOf } from "./version.ts";

export { attention, attentionScratch } from "./attention/attention.ts";
export { attentionDecode, decodeScratch, kvAppend } from "./attention/decode/decode.ts";
export { createCodebook, nearestEntries } from "./codebook/codebook.ts";
export { conv1d, conv1dFrames, createConv1d } from "./conv1d/conv1d.ts";
export { convTranspose1d, convTranspose1dLength, createConvTranspose1d } from "./conv_transpose1d/conv_transpose1d.ts";
export { decodeBlocks, packBlocks, requireMet, residentScratch, type Block } from "./decode_blocks/decode_blocks.ts";
export { residentGroups } from "./decode_blocks/resident.ts";
export { stateFields, stateWidth } from "./decode_state.ts";
export { add, elu } from "./elementwise/elementwise.ts";
export { embedding, embeddingGiven } from "./embedding/embedding.ts";
export { layernorm } from "./layernorm/layernorm.ts";
export { createLstm, lstm } from "./lstm/lstm.ts";
export { createLinear } from "./matmul/linear.ts";
export { matmul } from "./matmul/matmul.ts";
export { sampleConstants, sampleRows, sampleStep } from "./sample/sample.ts";

/** Every kernel that the library can run, for `bark doctor` and the tests that compile all of them. */
export const allKernels: readonly AnyKernel[] = [
  ...kernelsOf(attentionVersions),
  ...kernelsOf(attentionDecodeVersions),
  attentionWeightsKernel,
  kvAppendKernel,
  codebookNearest,
  ...kernelsOf(conv1dVersions),
  ...kernelsOf(decodeBlocksVersions),
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
