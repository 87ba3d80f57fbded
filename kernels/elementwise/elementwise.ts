import { defineKernel, optionalRead, readWrite, spread } from "../../engine/kernel.ts";
import type { Program } from "../../engine/program.ts";
import type { Tensor } from "../../engine/tensor.ts";

/** Shader file with expm1, elu, sigmoid and tanh at f32 precision. */
export const expm1Prelude = new URL("./expm1.wgsl", import.meta.url);

export const elementwise = defineKernel({
  name: "elementwise",
  source: new URL("./elementwise.wgsl", import.meta.url),
  preludes: [expm1Prelude],
  bindings: { x: optionalRead("f32"), y: readWrite("f32") },
  params: { size: "u32", has_x: "u32", elu: "u32" },
  workgroups: ({ size }) => spread(Math.ceil(size / 64)),
});

/** Records y = elu(y) on the first `size` values, in place. */
export function elu(program: Program, y: Tensor<"f32">, size: number = y.size): void {
  program.dispatch(elementwise, { y }, { size, has_x: 0, elu: 1 });
}

/** Records y += x on the first `size` values, then y = elu(y) if asked for. */
export function add(
  program: Program,
  x: Tensor<"f32">,
  y: Tensor<"f32">,
  options: { size?: number; elu?: boolean } = {},
): void {
  program.dispatch(elementwise, { x, y }, { size: options.size ?? y.size, has_x: 1, elu: options.elu ? 1 : 0 });
}
