import { defineKernel, optionalRead, read, readWrite } from "../../engine/kernel.ts";

/** Gathers rows of one table or the sum of several, and adds positions. */
export const embeddingKernel = defineKernel({
  name: "embedding",
  source: new URL("./embedding.wgsl", import.meta.url),
  bindings: {
    ids: read("u32"),
    table: read("weight"),
    positions: optionalRead("u32"),
    position_table: optionalRead("weight"),
    y: readWrite("f32"),
  },
  params: {
    rows: "u32",
    width: "u32",
    tables: "u32",
    vocabulary: "u32",
    id_first: "u32",
    id_row_stride: "u32",
    id_table_stride: "u32",
    has_positions: "u32",
    position_first: "u32",
    position_stride: "u32",
  },
  workgroups: ({ rows, width }) => [Math.ceil(width / 128), rows],
});

/** Adds positions to embeddings that the caller computed. */
export const embeddingGivenKernel = defineKernel({
  name: "embedding.given",
  source: new URL("./embedding_given.wgsl", import.meta.url),
  bindings: { given: read("f32"), positions: read("u32"), position_table: read("weight"), y: readWrite("f32") },
  params: { rows: "u32", width: "u32", position_first: "u32", position_stride: "u32" },
  workgroups: ({ rows, width }) => [Math.ceil(width / 128), rows],
});
