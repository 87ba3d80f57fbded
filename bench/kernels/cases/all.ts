import { attentionCases } from "./attention.ts";
import type { KernelCase } from "./case.ts";
import { codecCases } from "./codec.ts";
import { decodeBlocksCases } from "./decode_blocks.ts";
import { matmulCases } from "./matmul.ts";
import { rowOpCases } from "./row_ops.ts";

/** Every op at the shapes that it has in bark-small and in the codec (1 s and 10 s of audio). */
export const allCases: readonly KernelCase[] = [
  ...matmulCases,
  ...attentionCases,
  ...decodeBlocksCases,
  ...rowOpCases,
  ...codecCases(75),
  ...codecCases(750),
];
