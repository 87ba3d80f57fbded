import { defineKernel, optionalRead, readWrite, workgroupsOverXY } from "../../engine/kernel.ts";

/** Shader file with expm1, elu, sigmoid and tanh at f32 precision. */
export const expm1Prelude = new URL("./expm1.wgsl", import.meta.url);

export const elementwise = defineKernel({
  name: "elementwise",
  source: new URL("./elementwise.wgsl", import.meta.url),
  preludes: [expm1Prelude],
  bindings: { x: optionalRead("f32"), y: readWrite("f32") },
  params: { size: "u32", has_x: "u32", elu: "u32" },
  workgroups: ({ size }) => workgroupsOverXY(Math.ceil(size / 64)),
});
