import { defineKernel, read, readWrite } from "../../engine/kernel.ts";
import type { Lack, Version } from "../version.ts";
import type { Heads } from "../attention/shape.ts";

/** Workgroups that stay resident: any number that runs at once. */
export const resident = defineKernel({
  name: "decode_blocks.resident",
  source: new URL("./decode_blocks_resident.wgsl", import.meta.url),
  preludes: [new URL("../matmul/preludes/gelu.wgsl", import.meta.url)],
  bindings: {
    weight: read("matrix"),
    vectors: read("f32"),
    state: read("u32"),
    k_cache: readWrite("f32"),
    v_cache: readWrite("f32"),
    x: readWrite("f32"),
    work: readWrite("f32"),
    sync: readWrite("u32"),
  },
  params: { layers: "u32", heads: "u32", groups: "u32", spins: "u32", scale: "f32" },
  constants: { lanes: 64, quads: 8, capacity: 64 },
  workgroups: ({ groups }) => [groups],
});

/** Blocks of one new token a row. */
export interface DecodeBlocksShape extends Heads {
  readonly rows: number;
  readonly layers: number;
}

export const decodeBlocksVersions = {
  resident: {
    kernels: [resident],
    lacks: ({ rows, heads, headDim, capacity }: DecodeBlocksShape): Lack | undefined => {
      const width = heads * headDim;
      if (rows !== 1) return { needs: "one row", actual: rows };
      if (width % 32 !== 0 || width > 2048)
        return { needs: "a width of a multiple of 32, at most 2048", actual: width };
      // Of workgroup memory: what is staged, 256 sums, and a score for each position.
      if (headDim % 4 !== 0) return { needs: "heads of a multiple of four values", actual: headDim };
      return capacity > 1024 ? { needs: "at most 1024 positions", actual: capacity } : undefined;
    },
  },
} as const satisfies Record<string, Version<DecodeBlocksShape>>;

export type DecodeBlocksVersion = keyof typeof decodeBlocksVersions;
