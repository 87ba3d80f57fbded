import {
  conv1d,
  conv1dFrames,
  conv1dVersions,
  createConv1d,
  type Conv1dVersion,
  type Padding,
} from "../conv1d/conv1d.ts";
import { conv1dReference } from "../conv1d/reference.ts";
import { rounding, type Case } from "./case.ts";
import { noise } from "./noise.ts";

/** Reflected at both ends, with bias, residual and ELU, strided and dilated if not said otherwise; several workgroups. */
const convolution = (
  version: Conv1dVersion,
  inChannels: number,
  outChannels: number,
  { length, stride, dilation } = { length: 101, stride: 2, dilation: 3 },
): Case => ({
  kernel: conv1dVersions[version],
  tolerance: rounding,
  record(bench) {
    const shape = { outChannels, inChannels, kernelSize: 3 };
    const padding: Padding = { mode: "reflect", left: 4, right: 1 };
    const x = noise(length * shape.inChannels, 1);
    const weight = noise(shape.outChannels * shape.inChannels * shape.kernelSize, 2);
    const bias = noise(shape.outChannels, 3);

    const sizes = { stride, dilation, format: bench.format };
    const conv = { ...createConv1d(bench, weight, shape, "self test", sizes), bias: bench.f32(bias) };
    const residual = noise(conv1dFrames(conv, length, padding) * shape.outChannels, 4);
    const y = bench.f32(residual);
    conv1d(bench.commands, bench.f32(x), length, conv, y, { padding, accumulate: true, elu: true, version });

    const options = { bias, stride, dilation, padding, residual, elu: true };
    return [[y, conv1dReference(x, bench.stored(weight), shape, options)]];
  },
});

export const conv1dCases = [
  convolution("tile", 5, 37),
  convolution("broadcast", 8, 37),
  convolution("wide", 8, 36),
  convolution("quads", 8, 36),
  convolution("single", 8, 1, { length: 301, stride: 1, dilation: 1 }),
];
