import type { Program } from "../../engine/program/program.ts";
import type { TensorMaker } from "../../engine/scope.ts";
import type { WeightFormat } from "../../engine/dtypes.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { checkWeightSize, conv1d, type Conv1d, type Conv1dOptions, type ConvShape } from "../conv1d/conv1d.ts";
import { createWeights } from "../matmul/linear.ts";

/**
 * A transposed convolution with kernel k and stride s, in its phase form, a convolution:
 * y[m s + p] = sum_{i < taps} W[:, :, p + i s] x[m - i] with taps = ceil(k / s), for every phase p < s. In time-major
 * memory the s phases of m are neighbours, so they are the `s * outChannels` output channels of a plain convolution over
 * x with taps - 1 zero rows before and after it: no scatter, no exact-division test, no columns buffer, and no shader of
 * its own.
 */
export interface ConvTranspose1d extends ConvShape {
  readonly stride: number;
  /** taps = ceil(kernelSize / stride), channels s * outChannels, in order [phase, outChannel]. */
  readonly phases: Conv1d;
}

/** Puts a transposed convolution on the GPU. @param weight [inChannels, outChannels, kernelSize], weight norm folded. */
export function createConvTranspose1d(
  maker: TensorMaker,
  weight: Float32Array,
  shape: ConvShape & { stride: number },
  label: string,
  options: { bias?: Float32Array<ArrayBuffer> | undefined; format?: WeightFormat } = {},
): ConvTranspose1d {
  const { inChannels, outChannels, kernelSize, stride } = shape;
  checkWeightSize(weight, [inChannels, outChannels, kernelSize], label);
  const taps = Math.ceil(kernelSize / stride);
  const columns = stride * outChannels;
  const width = Math.ceil(columns / 4) * 4;
  const packed = new Float32Array(taps * inChannels * width);
  let from = 0;
  for (let i = 0; i < inChannels; i++)
    for (let out = 0; out < outChannels; out++)
      for (let j = 0; j < kernelSize; j++) {
        const tap = taps - 1 - Math.floor(j / stride);
        packed[(tap * inChannels + i) * width + (j % stride) * outChannels + out] = weight[from++];
      }
  const bias = options.bias === undefined ? undefined : repeat(options.bias, stride);
  const phases: Conv1d = {
    outChannels: columns,
    inChannels,
    kernelSize: taps,
    weight: createWeights(maker, packed, [taps * inChannels, width], label, options.format),
    bias: bias === undefined ? undefined : maker.tensorFrom("f32", [columns], bias, `${label}.bias`),
    stride: 1,
    dilation: 1,
  };
  return { outChannels, inChannels, kernelSize, stride, phases };
}

function repeat(values: Float32Array<ArrayBuffer>, times: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(values.length * times);
  for (let i = 0; i < times; i++) result.set(values, i * values.length);
  return result;
}

/** Rows cut off at the two ends of the whole result of (length - 1) * stride + kernelSize rows. */
export interface Trim {
  readonly left: number;
  readonly right: number;
}

/** Rows that a transposed convolution makes of `length` rows. */
export function convTranspose1dLength(conv: ConvTranspose1d, length: number, trim: Trim): number {
  return (length - 1) * conv.stride + conv.kernelSize - trim.left - trim.right;
}

/** Records a transposed convolution over the first `length` rows of x. x: [length, inChannels]; y: [rows, outChannels]. */
export function convTranspose1d(
  program: Program,
  x: Tensor<"f32">,
  length: number,
  conv: ConvTranspose1d,
  y: Tensor<"f32">,
  options: { trim?: Trim; elu?: boolean; version?: Conv1dOptions["version"] } = {},
): void {
  const trim = options.trim ?? { left: 0, right: 0 };
  const rows = convTranspose1dLength(conv, length, trim);
  const zeros = conv.phases.kernelSize - 1;
  conv1d(program, x, length, conv.phases, y, {
    padding: { mode: "constant", left: zeros, right: zeros },
    elu: options.elu ?? false,
    ...(options.version === undefined ? {} : { version: options.version }),
    stored: {
      frames: Math.ceil((trim.left + rows) / conv.stride),
      skip: trim.left * conv.outChannels,
      size: rows * conv.outChannels,
    },
  });
}
