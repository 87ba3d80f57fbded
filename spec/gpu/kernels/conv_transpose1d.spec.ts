import type { Gpu } from "../../../engine/gpu.ts";
import { Scope } from "../../../engine/scope.ts";
import {
  convTranspose1d,
  convTranspose1dLength,
  createConvTranspose1d,
} from "../../../kernels/conv_transpose1d/conv_transpose1d.ts";
import { convTranspose1dReference } from "../../../kernels/conv_transpose1d/reference.ts";
import { eluReference } from "../../../kernels/elementwise/reference.ts";
import { expectClose, noise } from "../../support/close.ts";
import { sharedGpu } from "../../support/gpu.ts";

interface Case {
  length: number;
  inChannels: number;
  outChannels: number;
  kernelSize: number;
  stride: number;
  left?: number;
  right?: number;
  bias?: boolean;
  elu?: boolean;
}

describe("conv_transpose1d", () => {
  let gpu: Gpu;
  before(async () => {
    gpu = await sharedGpu();
  });

  async function check(shape: Case): Promise<void> {
    const { length, inChannels, outChannels, kernelSize, stride, left = 0, right = 0, elu = false } = shape;
    const x = noise(length * inChannels, 1);
    const weight = noise(inChannels * outChannels * kernelSize, 2);
    const bias = shape.bias === false ? undefined : noise(outChannels, 3);
    const sizes = { inChannels, outChannels, kernelSize, stride };
    const scope = new Scope(gpu);
    const conv = createConvTranspose1d(scope, weight, sizes, "conv", { bias });
    const trim = { left, right };
    const rows = convTranspose1dLength(conv, length, trim);
    const input = gpu.tensorFrom("f32", [length, inChannels], x, "x");
    const y = gpu.tensor("f32", [rows, outChannels], "y");
    const program = gpu.program("conv_transpose1d");
    convTranspose1d(program, input, length, conv, y, { trim, elu });
    await program.run();
    const result = await y.read();
    program.dispose();
    scope.dispose();
    for (const tensor of [input, y]) tensor.dispose();
    const sum = convTranspose1dReference(x, weight, sizes, bias, trim);
    expectClose(result, elu ? eluReference(sum) : sum, { absolute: 2e-5, relative: 2e-6 }, JSON.stringify(shape));
  }

  for (const length of [1, 2, 6, 7, 100])
    for (const [inChannels, outChannels, stride] of [
      [1, 1, 2],
      [3, 5, 8],
      [33, 16, 5],
    ])
      it(`${inChannels} -> ${outChannels} channels, kernel ${2 * stride}, trimmed on the right, ${length} frames`, () =>
        check({ length, inChannels, outChannels, kernelSize: 2 * stride, stride, right: stride }));

  for (const [left, right] of [
    [0, 0],
    [3, 2],
    [5, 0],
    [1, 4],
  ])
    it(`trims ${left} rows on the left and ${right} on the right`, () =>
      check({ length: 6, inChannels: 3, outChannels: 3, kernelSize: 10, stride: 5, left, right }));

  for (const [kernelSize, stride] of [
    [7, 3],
    [3, 3],
    [2, 3],
    [5, 1],
    [9, 2],
  ])
    it(`kernel ${kernelSize} with stride ${stride}`, () =>
      check({ length: 11, inChannels: 4, outChannels: 6, kernelSize, stride }));

  it("no bias, ELU on the result", () =>
    check({
      length: 9,
      inChannels: 4,
      outChannels: 3,
      kernelSize: 4,
      stride: 2,
      right: 2,
      bias: false,
      elu: true,
    }));
});
