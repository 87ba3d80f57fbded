import { EngineError } from "../../engine/errors.ts";
import type { Device } from "../../engine/device.ts";
import { defineKernel, optionalRead, read, readWrite, spread } from "../../engine/kernel.ts";
import type { Program } from "../../engine/program.ts";
import type { TensorMaker } from "../../engine/scope.ts";
import type { WeightFormat } from "../../engine/dtypes.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { chooseConv1d } from "../choose.ts";
import { elu, expm1Prelude } from "../elementwise/elementwise.ts";
import { createWeights } from "../matmul/linear.ts";

const rowPreludes = [expm1Prelude, new URL("./rows.wgsl", import.meta.url)];
const quadPreludes = [...rowPreludes, new URL("./quads.wgsl", import.meta.url)];
const preludes = [...rowPreludes, new URL("./store.wgsl", import.meta.url)];
const bindings = { x: read("f32"), weight: read("weight"), bias: optionalRead("f32"), y: readWrite("f32") };
const params = {
  length: "u32",
  frames: "u32",
  inner: "u32",
  columns: "u32",
  taps: "u32",
  stride: "u32",
  dilation: "u32",
  padding_left: "u32",
  padding_mode: "u32",
  reflect_length: "u32",
  skip: "u32",
  size: "u32",
  has_bias: "u32",
  accumulate: "u32",
  elu: "u32",
} as const;

export const conv1dTile = defineKernel({
  name: "conv1d.tile",
  source: new URL("./conv1d.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  workgroups: ({ frames, columns }) => spread(Math.ceil((Math.ceil(frames / 8) * Math.ceil(columns / 4)) / 64)),
});

export const conv1dBroadcast = defineKernel({
  name: "conv1d.broadcast",
  source: new URL("./conv1d_broadcast.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  features: ["subgroups"],
  workgroups: ({ frames, columns }) => spread(Math.ceil(frames / 32) * Math.ceil(columns / 16)),
});

export const conv1dWide = defineKernel({
  name: "conv1d.wide",
  source: new URL("./conv1d_wide.wgsl", import.meta.url),
  preludes: quadPreludes,
  bindings,
  params,
  constants: { elu_x: 0 },
  features: ["subgroups"],
  subgroupLanes: 8,
  workgroups: ({ frames, columns }) => spread(Math.ceil(frames / 32) * Math.ceil(columns / 32)),
});

export const conv1dQuads = defineKernel({
  name: "conv1d.quads",
  source: new URL("./conv1d_quads.wgsl", import.meta.url),
  preludes: quadPreludes,
  bindings,
  params,
  constants: { elu_x: 0 },
  workgroups: ({ frames, columns }) => spread(Math.ceil((Math.ceil(frames / 16) * Math.ceil(columns / 8)) / 8)),
});

export const conv1dSingle = defineKernel({
  name: "conv1d.single",
  source: new URL("./conv1d_single.wgsl", import.meta.url),
  preludes: rowPreludes,
  bindings,
  params,
  workgroups: ({ frames }) => spread(Math.ceil(frames / 128)),
});

export const conv1dVersions = {
  tile: conv1dTile,
  broadcast: conv1dBroadcast,
  wide: conv1dWide,
  quads: conv1dQuads,
  single: conv1dSingle,
};
export type Conv1dVersion = keyof typeof conv1dVersions;

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

/** The part of a convolution's result that is stored, in values. */
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
  /** Convolve ELU(x). Versions that do not activate what they load do so in x itself: x is lost. */
  eluInput?: boolean;
  /** Default: everything. */
  stored?: StoredRange;
  /** Forces a version, for tests and benches. */
  version?: Conv1dVersion;
}

const noPadding: Padding = { mode: "constant", left: 0, right: 0 };

/**
 * Records a convolution (cross-correlation) over the first `length` rows of x. x: [length, inChannels];
 * y: [frames, outChannels] with frames from {@link conv1dFrames}.
 * @throws EngineError `usage` if the version that is forced cannot do this convolution.
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
  const version = options.version ?? chooseConv1d(program.gpu, conv, { skip, size });
  checkVersion(program.gpu, version, conv, { skip, size });
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
  if (version === "wide" || version === "quads") {
    program.dispatch(conv1dVersions[version], tensors, sizes, { elu_x: eluInput ? 1 : 0 });
    return;
  }
  if (eluInput) elu(program, x, length * conv.inChannels);
  program.dispatch(conv1dVersions[version], tensors, sizes);
}

/** Whether a convolution is one that the version for a single output channel does. */
export function isSingle({ inChannels, outChannels, kernelSize, stride, dilation }: Conv1d): boolean {
  return outChannels === 1 && kernelSize <= 7 && stride === 1 && dilation === 1 && inChannels % 4 === 0;
}

/** @throws EngineError `usage` if a version that was forced cannot do a convolution. */
function checkVersion(
  gpu: Device,
  version: Conv1dVersion,
  conv: Conv1d,
  { skip, size }: Pick<StoredRange, "skip" | "size">,
): void {
  const fail = (needs: string, actual: number | string): never => {
    throw new EngineError("usage", `this version of conv1d needs ${needs}`, { where: version, actual });
  };
  const { inChannels, outChannels } = conv;
  if (version === "tile") return;
  if (inChannels % 4 !== 0) fail("a multiple of four input channels", inChannels);
  if (version === "broadcast") return;
  if (version === "single") {
    if (!isSingle(conv)) fail("one output channel, up to seven taps, no stride and no dilation", outChannels);
    return;
  }
  if (outChannels % 4 !== 0) fail("a multiple of four output channels", outChannels);
  if (skip % 4 !== 0 || size % 4 !== 0) fail("to store multiples of four values", `${skip}, ${size}`);
  if (!gpu.supports(conv1dVersions[version])) fail("subgroups of eight lanes", gpu.adapterName);
}
