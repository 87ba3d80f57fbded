import { Scope } from "../../../engine/scope.ts";
import { expect } from "chai";
import { EngineError } from "../../../engine/errors.ts";
import type { Gpu } from "../../../engine/gpu.ts";
import type { Program } from "../../../engine/program/program.ts";
import {
  conv1d,
  conv1dFrames,
  createConv1d,
  type Conv1dOptions,
  type CreateConv1dOptions,
  type PaddingMode,
} from "../../../kernels/conv1d/conv1d.ts";
import { conv1dLab } from "../../../kernels/conv1d/lab/versions.ts";
import { conv1dReference } from "../../../kernels/conv1d/reference.ts";
import { conv1dVersions } from "../../../kernels/conv1d/versions.ts";
import { eluReference } from "../../../kernels/elementwise/reference.ts";
import { expectClose, noise } from "../../support/close.ts";
import { sharedGpu } from "../../support/gpu.ts";

interface Case {
  length: number;
  inChannels: number;
  outChannels: number;
  kernelSize: number;
  stride?: number;
  dilation?: number;
  padding?: { mode: PaddingMode; left: number; right: number };
  bias?: boolean;
  accumulate?: boolean;
  elu?: boolean;
  eluInput?: boolean;
  format?: "f32" | "f16";
  /** Default: the one that the engine chooses. */
  version?: NonNullable<Conv1dOptions["version"]>;
}

const tolerance = { absolute: 2e-5, relative: 2e-6 };

describe("conv1d", () => {
  let gpu: Gpu;
  before(async () => {
    gpu = await sharedGpu();
  });

  async function check(shape: Case, allowed = tolerance): Promise<void> {
    const { length, inChannels, outChannels, kernelSize, stride = 1, dilation = 1, padding, elu = false } = shape;
    const x = noise(length * inChannels, 1);
    const weight = noise(outChannels * inChannels * kernelSize, 2);
    const bias = shape.bias === false ? undefined : noise(outChannels, 3);
    const options: CreateConv1dOptions = { bias, stride, dilation, format: shape.format ?? "f32" };
    const scope = new Scope(gpu);
    const conv = createConv1d(scope, weight, { outChannels, inChannels, kernelSize }, "conv", options);
    const frames = conv1dFrames(conv, length, padding ?? { mode: "constant", left: 0, right: 0 });
    const before = noise(frames * outChannels, 4);
    const input = gpu.tensorFrom("f32", [length, inChannels], x, "x");
    const y = gpu.tensorFrom("f32", [frames, outChannels], before, "y");
    await runOnce((program) =>
      conv1d(program, input, length, conv, y, {
        accumulate: shape.accumulate ?? false,
        elu,
        eluInput: shape.eluInput ?? false,
        ...(shape.version === undefined ? {} : { version: shape.version }),
        ...(padding ? { padding } : {}),
      }),
    );
    const result = await y.read();
    scope.dispose();
    for (const tensor of [input, y]) tensor.dispose();
    const expected = conv1dReference(shape.eluInput ? eluReference(x) : x, weight, conv, {
      bias,
      stride,
      dilation,
      elu,
      ...(padding ? { padding } : {}),
      ...(shape.accumulate ? { residual: before } : {}),
    });
    expectClose(result, expected, allowed, JSON.stringify(shape));
  }

  const channels = [
    [1, 1],
    [1, 33],
    [3, 5],
    [33, 1],
    [8, 64],
  ];
  for (const [inChannels, outChannels] of channels)
    for (const length of [1, 2, 6, 7, 100])
      it(`${inChannels} -> ${outChannels} channels, causal reflection, ${length} frames`, () =>
        check({
          length,
          inChannels,
          outChannels,
          kernelSize: 7,
          padding: { mode: "reflect", left: 6, right: 0 },
        }));

  for (const mode of ["constant", "reflect", "replicate"] as const)
    for (const length of [1, 3, 4, 5, 50])
      it(`${mode} padding on both sides of ${length} frames`, () =>
        check({ length, inChannels: 3, outChannels: 6, kernelSize: 5, padding: { mode, left: 4, right: 3 } }));

  for (const length of [1, 2, 3, 8, 9, 41])
    it(`stride 4, kernel 8, ${length} frames`, () => {
      const right = Math.ceil(length / 4) * 4 - length;
      const padding = { mode: "reflect", left: 4, right } as const;
      return check({ length, inChannels: 2, outChannels: 5, kernelSize: 8, stride: 4, padding });
    });

  it("dilation", () =>
    check({
      length: 20,
      inChannels: 3,
      outChannels: 4,
      kernelSize: 3,
      dilation: 4,
      padding: { mode: "reflect", left: 8, right: 0 },
    }));

  it("no padding and no bias", () => check({ length: 10, inChannels: 4, outChannels: 9, kernelSize: 4, bias: false }));

  it("adds to y, then applies ELU", () =>
    check({ length: 13, inChannels: 5, outChannels: 7, kernelSize: 1, accumulate: true, elu: true }));

  it("weights in f16", () =>
    check(
      { length: 9, inChannels: 16, outChannels: 10, kernelSize: 3, format: "f16" },
      { absolute: 48 * 2 ** -11, relative: 0 },
    ));

  const { single, ...tiled } = conv1dVersions;
  for (const [title, version] of Object.entries({ ...tiled, ...conv1dLab }))
    describe(`version ${title}`, () => {
      // What the chooser may leave out here; a runtime without the subgroups that it needs skips the version.
      before(function () {
        if (!gpu.supports(version.kernels[0])) this.skip();
      });
      const odd = { inChannels: 4, outChannels: 1, kernelSize: 1, stride: 1, dilation: 1, skip: 0, size: 1 };
      const inQuads = version.lacks(odd) !== undefined;
      const channels = (count: number): number => (inQuads ? Math.ceil(count / 4) * 4 : count);

      const shapes: readonly [name: string, shape: Case][] = [
        ["one frame and channel group", { length: 1, inChannels: 4, outChannels: channels(1), kernelSize: 1 }],
        ["two ragged tiles each way", { length: 37, inChannels: 12, outChannels: channels(37), kernelSize: 3 }],
        ["many tiles", { length: 200, inChannels: 32, outChannels: 64, kernelSize: 1 }],
        ["stride", { length: 50, inChannels: 8, outChannels: channels(34), kernelSize: 8, stride: 4 }],
        ["dilation", { length: 50, inChannels: 8, outChannels: 8, kernelSize: 3, dilation: 4 }],
        ["ELU of x", { length: 50, inChannels: 8, outChannels: channels(6), kernelSize: 3, eluInput: true }],
        [
          "residual and ELU",
          { length: 40, inChannels: 4, outChannels: channels(18), kernelSize: 2, accumulate: true, elu: true },
        ],
      ];
      for (const [name, shape] of shapes) it(name, () => check({ ...shape, version }));

      for (const mode of ["constant", "reflect", "replicate"] as const)
        for (const length of [1, 5, 50])
          it(`${mode} padding of ${length} frames`, () =>
            check({
              length,
              inChannels: 8,
              outChannels: channels(17),
              kernelSize: 5,
              padding: { mode, left: 4, right: 3 },
              version,
            }));

      it("weights in f16", () =>
        check(
          { length: 40, inChannels: 16, outChannels: 20, kernelSize: 3, format: "f16", version },
          { absolute: 48 * 2 ** -11, relative: 0 },
        ));
    });

  describe("version single", () => {
    const shape = { inChannels: 8, outChannels: 1, kernelSize: 7, version: single } as const;
    for (const mode of ["constant", "reflect", "replicate"] as const)
      for (const length of [1, 5, 16, 300])
        it(`${mode} padding of ${length} frames`, () =>
          check({ ...shape, length, padding: { mode, left: 4, right: 2 } }));
    it("one tap", () => check({ ...shape, length: 40, kernelSize: 1 }));
    it("no bias", () => check({ ...shape, length: 40, bias: false }));
    it("residual and ELU", () => check({ ...shape, length: 40, accumulate: true, elu: true, eluInput: true }));
    it("weights in f16", () =>
      check({ ...shape, length: 40, format: "f16" }, { absolute: 48 * 2 ** -11, relative: 0 }));
  });

  for (const [version, inChannels, outChannels, message] of [
    [conv1dLab.broadcast, 5, 8, /multiple of four input channels.*got 5/],
    [tiled.wide, 5, 8, /multiple of four input channels.*got 5/],
    [single, 8, 2, /one output channel.*got 2/],
    [tiled.vec4, 8, 6, /multiple of four output channels.*got 6/],
    [tiled.wide, 8, 6, /multiple of four output channels.*got 6/],
  ] as const)
    it(`${version.kernels[0].name} refuses ${inChannels} -> ${outChannels} channels`, () => {
      const shape = { outChannels, inChannels, kernelSize: 1 };
      const scope = new Scope(gpu);
      const conv = createConv1d(scope, noise(inChannels * outChannels, 1), shape, "conv");
      const tensors = [gpu.tensor("f32", [3, inChannels], "x"), gpu.tensor("f32", [3, outChannels], "y")] as const;
      const program = gpu.program("conv1d");
      expect(() => conv1d(program, tensors[0], 3, conv, tensors[1], { version }))
        .throw(EngineError)
        .satisfies((error: EngineError) => message.test(error.toLine()));
      program.dispose();
      scope.dispose();
      for (const tensor of tensors) tensor.dispose();
    });

  it("more workgroups than one dimension holds", async () => {
    const frames = 65_536 * 64 * 8;
    const bias = Float32Array.of(3);
    const scope = new Scope(gpu);
    const conv = createConv1d(scope, Float32Array.of(1), { outChannels: 1, inChannels: 1, kernelSize: 1 }, "conv", {
      bias,
    });
    const x = gpu.tensorFrom("f32", [1, 1], Float32Array.of(5), "x");
    const y = gpu.tensor("f32", [9], "y");
    await runOnce((program) =>
      conv1d(program, x, 1, conv, y, {
        padding: { mode: "constant", left: 0, right: frames - 1 },
        stored: { frames, skip: frames - 8, size: 8 },
      }),
    );
    const result = await y.read();
    scope.dispose();
    for (const tensor of [x, y]) tensor.dispose();
    expectClose(result, [3, 3, 3, 3, 3, 3, 3, 3, 0], { absolute: 1e-9 });
  });

  async function runOnce(record: (program: Program) => void): Promise<void> {
    const program = gpu.program("conv1d");
    record(program);
    await program.run();
    program.dispose();
  }
});
