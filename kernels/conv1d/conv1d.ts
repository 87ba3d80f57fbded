import { EngineError } from "../../engine/errors.ts";
import type { Program } from "../../engine/program/program.ts";
import type { TensorMaker } from "../../engine/scope.ts";
import type { WeightFormat } from "../../engine/dtypes.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { chooseConv1d } from "../choose.ts";
import { elu } from "../elementwise/elementwise.ts";
import { createWeights } from "../matmul/linear.ts";
import { requireVersion, versionOf } from "../version.ts";
import { conv1dVersions, type Conv1dVersion, type OwnConv1dVersion } from "./versions.ts";

const paddingModes = { constant: 0, reflect: 1, replicate: 2 } as const;
export type PaddingMode = keyof typeof paddingModes;

/** Rows put before and after the input. `constant` pads with zeros. */
export interface Padding {
  readonly mode: PaddingMode;
  readonly left: number;
  readonly right: number;
}

/** Sizes of a convolution, as checkpoints store its weight: [outChannels, inChannels, kernelSize]. */
export interface ConvShape {
  readonly outChannels: number;
  readonly inChannels: number;
  readonly kernelSize: number;
}

/** A convolution on the GPU. weight: [kernelSize * inChannels, ceil(outChannels/4)*4]; bias: [outChannels]. */
export interface Conv1d extends ConvShape {
  readonly weight: Tensor<"f32"> | Tensor<"f16">;
  readonly bias: Tensor<"f32"> | undefined;
  readonly stride: number;
  readonly dilation: number;
}

export interface CreateConv1dOptions {
  bias?: Float32Array<ArrayBuffer> | undefined;
  stride?: number;
  dilation?: number;
  format?: WeightFormat;
}

/** Puts a convolution on the GPU. @param weight [outChannels, inChannels, kernelSize], weight norm folded. */
export function createConv1d(
  maker: TensorMaker,
  weight: Float32Array,
  shape: ConvShape,
  label: string,
  options: CreateConv1dOptions = {},
): Conv1d {
  const { outChannels, inChannels, kernelSize } = shape;
  checkWeightSize(weight, [outChannels, inChannels, kernelSize], label);
  const width = Math.ceil(outChannels / 4) * 4;
  const packed = new Float32Array(kernelSize * inChannels * width);
  let from = 0;
  for (let out = 0; out < outChannels; out++)
    for (let i = 0; i < inChannels; i++)
      for (let tap = 0; tap < kernelSize; tap++) packed[(tap * inChannels + i) * width + out] = weight[from++];
  return {
    ...shape,
    weight: createWeights(maker, packed, [kernelSize * inChannels, width], label, options.format),
    bias:
      options.bias === undefined ? undefined : maker.tensorFrom("f32", [outChannels], options.bias, `${label}.bias`),
    stride: options.stride ?? 1,
    dilation: options.dilation ?? 1,
  };
}

export function checkWeightSize(weight: Float32Array, shape: readonly number[], label: string): void {
  if (weight.length !== shape.reduce((product, extent) => product * extent, 1))
    throw new EngineError("shape", "weight does not have the shape of its layer", {
      where: label,
      expected: `[${shape.join(", ")}]`,
      actual: `${weight.length} values`,
    });
}

/** Frames that a convolution makes of `length` rows. */
export function conv1dFrames(conv: Conv1d, length: number, padding: Padding): number {
  const span = (conv.kernelSize - 1) * conv.dilation + 1;
  return Math.floor((length + padding.left + padding.right - span) / conv.stride) + 1;
}

/** The stored part of a convolution's result, in values: `skip` are cut off the front, `size` follow. */
export interface StoredRange {
  readonly frames: number;
  readonly skip: number;
  readonly size: number;
}

export interface Conv1dOptions {
  /** Default: none. */
  padding?: Padding;
  /** Add to what y holds instead of overwriting it (a residual connection). */
  accumulate?: boolean;
  /** Apply ELU to the result. */
  elu?: boolean;
  /** Convolve ELU(x). A version that cannot activate what it loads overwrites x with ELU(x). */
  eluInput?: boolean;
  /** Default: everything. */
  stored?: StoredRange;
  /** Forces a version, for tests and benches. */
  version?: Conv1dVersion | OwnConv1dVersion;
}

const noPadding: Padding = { mode: "constant", left: 0, right: 0 };

/**
 * Records a convolution (cross-correlation) over the first `length` rows of x. x: [length, inChannels];
 * y: [frames, outChannels] with frames from {@link conv1dFrames}.
 * @throws EngineError `usage` if the forced version cannot do this convolution.
 */
export function conv1d(
  program: Program,
  x: Tensor<"f32">,
  length: number,
  conv: Conv1d,
  y: Tensor<"f32">,
  options: Conv1dOptions = {},
): void {
  const padding = options.padding ?? noPadding;
  const frames = options.stored?.frames ?? conv1dFrames(conv, length, padding);
  const { skip, size } = options.stored ?? { skip: 0, size: frames * conv.outChannels };
  const shape = { ...conv, skip, size };
  const version = versionOf(conv1dVersions, options.version ?? chooseConv1d(program.gpu, shape));
  requireVersion(program.gpu, version, shape);
  const tensors = { x, weight: conv.weight, bias: conv.bias, y };
  const sizes = {
    length,
    frames,
    inner: conv.inChannels,
    columns: conv.outChannels,
    taps: conv.kernelSize,
    stride: conv.stride,
    dilation: conv.dilation,
    padding_left: padding.left,
    padding_mode: paddingModes[padding.mode],
    reflect_length: Math.max(length, padding.left + 1, padding.right + 1),
    skip,
    size,
    has_bias: conv.bias === undefined ? 0 : 1,
    accumulate: options.accumulate ? 1 : 0,
    elu: options.elu ? 1 : 0,
  };
  const eluInput = options.eluInput ?? false;
  if (version.activatesInput) {
    program.dispatch(version.kernels[0], tensors, sizes, { elu_x: eluInput ? 1 : 0 });
    return;
  }
  if (eluInput) elu(program, x, length * conv.inChannels);
  program.dispatch(version.kernels[0], tensors, sizes);
}
