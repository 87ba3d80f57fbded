import { defineKernel, read, readWrite } from "../../engine/kernel.ts";

/** Fields of `struct Params` in select.wgsl. */
export const sampleParams = {
  rows: "u32",
  vocabulary: "u32",
  start0: "u32",
  end0: "u32",
  start1: "u32",
  end1: "u32",
  eos: "u32",
  pad: "u32",
  min_eos_p: "f32",
  temperature: "f32",
  top_k: "u32",
  top_p: "f32",
  seed_low: "u32",
  seed_high: "u32",
  stage: "u32",
  draw_rows: "u32",
  first: "u32",
  stride: "u32",
} as const;
/** Overrides of select.wgsl. */
export const sampleOverrides = { lanes: 64, greedy: 0, filters: 0 };
const preludes = [new URL("./random.wgsl", import.meta.url), new URL("./select.wgsl", import.meta.url)];

/** Picks one id a row and advances the decode state. */
export const sampleStepKernel = defineKernel({
  name: "sample.step",
  source: new URL("./sample_step.wgsl", import.meta.url),
  preludes,
  bindings: { logits: read("f32"), state: readWrite("u32"), tokens: readWrite("u32") },
  params: sampleParams,
  constants: sampleOverrides,
  workgroups: ({ rows }) => [rows],
});

/** Picks one id for each of many independent rows. */
export const sampleRowsKernel = defineKernel({
  name: "sample.rows",
  source: new URL("./sample_rows.wgsl", import.meta.url),
  preludes,
  bindings: { logits: read("f32"), out: readWrite("u32") },
  params: sampleParams,
  constants: sampleOverrides,
  workgroups: ({ rows }) => [rows],
});
