import type { AnyKernel } from "../engine/kernel.ts";
import { attentionDecodeLab } from "./attention/lab/versions.ts";
import { matmulLab } from "./matmul/lab/versions.ts";
import { conv1dLab } from "./conv1d/lab/versions.ts";
import { kernelsOf } from "./version.ts";

/** Every kernel of the labs, for tests and benches: the library imports none of them. */
export const labKernels: readonly AnyKernel[] = [
  ...kernelsOf(attentionDecodeLab),
  ...kernelsOf(conv1dLab),
  ...kernelsOf(matmulLab),
];
