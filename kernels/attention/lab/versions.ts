import { defineKernel } from "../../../engine/kernel.ts";
import type { OwnDecodeVersion } from "../decode/decode.ts";
import { decodeChunks, decodeInParts, decodeInPlace, lacksForChunks, scoresInWorkgroup } from "../versions.ts";

/** 256 lanes a head, which share out the keys. */
export const decodeSplit = defineKernel({
  ...decodeInPlace,
  name: "attention_decode.split",
  source: new URL("./attention_decode_split.wgsl", import.meta.url),
  preludes: [new URL("../preludes/lane_reduce.wgsl", import.meta.url)],
  workgroups: ({ rows, heads }) => [heads, rows],
});

/** The text of `chunks` with reductions by subgroups. */
export const decodeChunksSubgroups = defineKernel({
  ...decodeInParts,
  name: "attention_decode.chunks_subgroups",
  source: new URL("../decode/attention_decode_chunks.wgsl", import.meta.url),
  preludes: [new URL("./lane_reduce_subgroups.wgsl", import.meta.url)],
  features: ["subgroups"],
  workgroups: decodeChunks.workgroups,
});

/** Rungs between `lanes` and `chunks`, and beside `chunks`: README.md in this folder says what each teaches. */
export const attentionDecodeLab = {
  split: { kernels: [decodeSplit], scratch: "none", lacks: scoresInWorkgroup(256) },
  chunks_subgroups: { kernels: [decodeChunksSubgroups], scratch: "parts", lacks: lacksForChunks },
} as const satisfies Record<string, OwnDecodeVersion>;
