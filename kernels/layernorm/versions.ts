import { defineKernel, optionalRead, read, readWrite } from "../../engine/kernel.ts";
import { nothing, type Lack, type Version } from "../version.ts";

export interface LayernormShape {
  readonly width: number;
}

const bindings = { x: read("f32"), weight: read("f32"), bias: optionalRead("f32"), y: readWrite("f32") };
const params = { rows: "u32", width: "u32", eps: "f32", has_bias: "u32" } as const;

/** A workgroup of 64 lanes a row: for GPUs. */
export const layernormWorkgroup = defineKernel({
  name: "layernorm.workgroup",
  source: new URL("./layernorm_workgroup.wgsl", import.meta.url),
  bindings,
  params,
  workgroups: ({ rows }) => [rows],
});

/** One invocation a row, four values a load, no barrier: for software adapters. */
export const layernormThread = defineKernel({
  name: "layernorm.thread",
  source: new URL("./layernorm_thread.wgsl", import.meta.url),
  bindings,
  params,
  workgroups: ({ rows }) => [Math.ceil(rows / 8)],
});

export const layernormVersions = {
  workgroup: { kernels: [layernormWorkgroup], lacks: nothing },
  thread: {
    kernels: [layernormThread],
    lacks: ({ width }: LayernormShape): Lack | undefined =>
      width % 4 === 0 ? undefined : { needs: "a width of a multiple of four", actual: width },
  },
} as const satisfies Record<string, Version<LayernormShape>>;
export type LayernormVersion = keyof typeof layernormVersions;
