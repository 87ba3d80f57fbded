import { defineKernel, optionalRead, read, readWrite, workgroupsOverXY } from "../../engine/kernel.ts";
import { expm1Prelude } from "../elementwise/versions.ts";
import { nothing, type Lack, type Version } from "../version.ts";

const rowPreludes = [expm1Prelude, new URL("./rows.wgsl", import.meta.url)];
const vectorPreludes = [...rowPreludes, new URL("./vec4.wgsl", import.meta.url)];
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

/** What a version for any number of output channels, which activates no x itself, is declared with. */
export const conv1dBase = { preludes, bindings, params } as const;

/** Any shape: register tile of 8 frames by 4 channels. */
export const conv1dTile = defineKernel({
  ...conv1dBase,
  name: "conv1d.tile",
  source: new URL("./conv1d_tile.wgsl", import.meta.url),
  workgroups: ({ frames, columns }) =>
    workgroupsOverXY(Math.ceil((Math.ceil(frames / 8) * Math.ceil(columns / 4)) / 64)),
});

/** Register tile of 32 frames by 32 channels, each value loaded by one lane: for lavapipe with subgroups of eight lanes. */
export const conv1dWide = defineKernel({
  name: "conv1d.wide",
  source: new URL("./conv1d_wide.wgsl", import.meta.url),
  preludes: vectorPreludes,
  bindings,
  params,
  constants: { elu_x: 0 },
  features: ["subgroups"],
  subgroupLanes: 8,
  workgroups: ({ frames, columns }) => workgroupsOverXY(Math.ceil(frames / 32) * Math.ceil(columns / 32)),
});

/** Register tile of 16 frames by 8 channels, loads and stores of four values: for SwiftShader. */
export const conv1dVec4 = defineKernel({
  name: "conv1d.vec4",
  source: new URL("./conv1d_vec4.wgsl", import.meta.url),
  preludes: vectorPreludes,
  bindings,
  params,
  constants: { elu_x: 0 },
  workgroups: ({ frames, columns }) =>
    workgroupsOverXY(Math.ceil((Math.ceil(frames / 16) * Math.ceil(columns / 8)) / 8)),
});

/** One output channel; a row of x is loaded once for all taps: for software adapters. */
export const conv1dSingle = defineKernel({
  name: "conv1d.single",
  source: new URL("./conv1d_single.wgsl", import.meta.url),
  preludes: rowPreludes,
  bindings,
  params,
  workgroups: ({ frames }) => workgroupsOverXY(Math.ceil(frames / 128)),
});

/** A convolution, and the part of its result that is stored. */
export interface Conv1dShape {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: number;
  readonly stride: number;
  readonly dilation: number;
  /** Values cut off the front, and values stored after them. */
  readonly skip: number;
  readonly size: number;
}

/** For versions that read x in vectors of four. */
export const inputsOfFour = ({ inChannels }: Conv1dShape): Lack | undefined =>
  inChannels % 4 === 0 ? undefined : { needs: "a multiple of four input channels", actual: inChannels };

function allOfFour(shape: Conv1dShape): Lack | undefined {
  const { outChannels, skip, size } = shape;
  const lack = inputsOfFour(shape);
  if (lack !== undefined) return lack;
  if (outChannels % 4 !== 0) return { needs: "a multiple of four output channels", actual: outChannels };
  if (skip % 4 === 0 && size % 4 === 0) return undefined;
  return { needs: "to skip and to store multiples of four values", actual: `${skip} and ${size}` };
}

function oneOutput(shape: Conv1dShape): Lack | undefined {
  const { outChannels, kernelSize, stride, dilation } = shape;
  if (outChannels === 1 && kernelSize <= 7 && stride === 1 && dilation === 1) return inputsOfFour(shape);
  return {
    needs: "one output channel, up to seven taps, no stride and no dilation",
    actual: `${outChannels} channels, ${kernelSize} taps, stride ${stride}, dilation ${dilation}`,
  };
}

/** The ladder, the plainest first. `activatesInput`: the version can apply ELU to the x that it loads. */
export const conv1dVersions = {
  tile: { kernels: [conv1dTile], lacks: nothing, activatesInput: false },
  wide: { kernels: [conv1dWide], lacks: allOfFour, activatesInput: true },
  vec4: { kernels: [conv1dVec4], lacks: allOfFour, activatesInput: true },
  single: { kernels: [conv1dSingle], lacks: oneOutput, activatesInput: false },
} as const satisfies Record<string, Version<Conv1dShape> & { readonly activatesInput: boolean }>;
export type Conv1dVersion = keyof typeof conv1dVersions;

/** A version itself instead of its name: one of the table, a rung of the lab, or your own. */
export type OwnConv1dVersion =
  | (Version<Conv1dShape, readonly [typeof conv1dTile]> & { readonly activatesInput: false })
  | (Version<Conv1dShape, readonly [typeof conv1dWide]> & { readonly activatesInput: true });
