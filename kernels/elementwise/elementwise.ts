import type { Program } from "../../engine/program/program.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { elementwise } from "./versions.ts";

/** Records y = elu(y) on the first `size` values, in place. */
export function elu(program: Program, y: Tensor<"f32">, size: number = y.size): void {
  program.dispatch(elementwise, { y }, { size, has_x: 0, elu: 1 });
}

/** Records y += x on the first `size` values, then y = elu(y) with `elu`. */
export function add(
  program: Program,
  x: Tensor<"f32">,
  y: Tensor<"f32">,
  options: { size?: number; elu?: boolean } = {},
): void {
  program.dispatch(elementwise, { x, y }, { size: options.size ?? y.size, has_x: 1, elu: options.elu ? 1 : 0 });
}
