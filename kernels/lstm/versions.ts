import { defineKernel, read, readWrite } from "../../engine/kernel.ts";
import { expm1Prelude } from "../elementwise/versions.ts";
import { nothing, type Version } from "../version.ts";

const preludes = [expm1Prelude, new URL("./cell.wgsl", import.meta.url)];
const bindings = {
  gates_a: read("f32"),
  gates_b: read("f32"),
  weight: read("weight"),
  h: readWrite("f32"),
  c: readWrite("f32"),
};
const params = {
  first: "u32",
  step_a: "u32",
  step_b: "u32",
  region_a: "u32",
  length: "u32",
  chunk: "u32",
  hidden: "u32",
} as const;

/** The `step_a` or `step_b` of a layer that a dispatch leaves out. */
export const noStep = 0xffffffff;

/** How many layers take a step in a dispatch. */
const active = ({ first, step_b }: { first: number; step_b: number }): number =>
  first === 0 && step_b !== noStep ? 2 : 1;

/** One invocation four units, no barrier: for software adapters. */
export const lstmThread = defineKernel({
  name: "lstm.thread",
  source: new URL("./lstm_thread.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  workgroups: (steps) => [Math.ceil(steps.hidden / 32), active(steps)],
});

/** 32 lanes share out k: for GPUs. */
export const lstmSplit = defineKernel({
  name: "lstm.split",
  source: new URL("./lstm_split.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  workgroups: (steps) => [Math.ceil(steps.hidden / 8), active(steps)],
});

/** Both do any number of hidden units. */
export const lstmVersions = {
  thread: { kernels: [lstmThread], lacks: nothing },
  split: { kernels: [lstmSplit], lacks: nothing },
} as const satisfies Record<string, Version<unknown>>;
export type LstmVersion = keyof typeof lstmVersions;
