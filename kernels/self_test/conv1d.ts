import { conv1d, conv1dFrames, createConv1d, type Padding } from "../conv1d/conv1d.ts";
import { conv1dReference } from "../conv1d/reference.ts";
import { conv1dVersions, type Conv1dVersion } from "../conv1d/versions.ts";
import { rounding, type SelfTestCase } from "./case.ts";
import { noise } from "./noise.ts";

/** Reflected at both ends, with bias, residual and ELU; by default strided and dilated; several workgroups. */
const convolution = (
  version: Conv1dVersion,
  inChannels: number,
  outChannels: number,
  { length, stride, dilation } = { length: 101, stride: 2, dilation: 3 },
): SelfTestCase => ({
  kernel: conv1dVersions[version].kernels[0],
  tolerance: rounding,
  record(scope) {
    const shape = { outChannels, inChannels, kernelSize: 3 };
    const padding: Padding = { mode: "reflect", left: 4, right: 1 };
    const x = noise(length * shape.inChannels, 1);
    const weight = noise(shape.outChannels * shape.inChannels * shape.kernelSize, 2);
    const bias = noise(shape.outChannels, 3);

    const sizes = { stride, dilation, format: scope.format };
    const conv = { ...createConv1d(scope, weight, shape, "self test", sizes), bias: scope.f32(bias) };
    const residual = noise(conv1dFrames(conv, length, padding) * shape.outChannels, 4);
    const y = scope.f32(residual);
    conv1d(scope.commands, scope.f32(x), length, conv, y, { padding, accumulate: true, elu: true, version });

    const options = { bias, stride, dilation, padding, residual, elu: true };
    return [[y, conv1dReference(x, scope.stored(weight), shape, options)]];
  },
});

export const conv1dCases = [
  convolution("tile", 5, 37),
  convolution("wide", 8, 36),
  convolution("vec4", 8, 36),
  convolution("single", 8, 1, { length: 301, stride: 1, dilation: 1 }),
];
