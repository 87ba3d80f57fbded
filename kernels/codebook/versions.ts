import { defineKernel, read, readWrite, workgroupsOverXY } from "../../engine/kernel.ts";

/** The nearest entry of each row, and what it leaves over. */
export const codebookNearest = defineKernel({
  name: "codebook.nearest",
  source: new URL("./codebook_nearest.wgsl", import.meta.url),
  bindings: { scores: read("f32"), entries: read("f32"), x: readWrite("f32"), codes: readWrite("u32") },
  params: { rows: "u32", size: "u32", width: "u32", first: "u32" },
  workgroups: ({ rows }) => workgroupsOverXY(Math.ceil(rows / 32)),
});
