import { defineKernel, read, readWrite } from "../../engine/kernel.ts";

/** y = offset + shift + scale * x: a kernel whose results are plain to see, for the specs of the engine. */
export const scaleKernel = defineKernel({
  name: "spec.scale",
  source: new URL("../gpu/data/scale.wgsl", import.meta.url),
  bindings: { x: read("f32"), y: readWrite("f32") },
  params: { count: "u32", shift: "i32", scale: "f32" },
  constants: { offset: 0 },
  workgroups: ({ count }) => [Math.ceil(count / 64)],
});
