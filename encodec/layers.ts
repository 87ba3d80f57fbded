import type { Tensor } from "../engine/tensor.ts";
import { conv1d, createConv1d, type Conv1d, type Conv1dOptions, type ConvShape } from "../kernels/conv1d/conv1d.ts";
import {
  convTranspose1d,
  createConvTranspose1d,
  type ConvTranspose1d,
  type Trim,
} from "../kernels/conv_transpose1d/conv_transpose1d.ts";
import { add } from "../kernels/elementwise/elementwise.ts";
import { createLstm, lstm, type Lstm, type LstmBuffers, type LstmWeights } from "../kernels/lstm/lstm.ts";
import type { EncodecConfig } from "./config.ts";
import { convPadding } from "./padding.ts";
import type { Recorder } from "../engine/program/recorder.ts";
import type { Scope } from "../engine/scope.ts";
import type { CodecWeights } from "./weights.ts";

/** Buffers of a walk through the codec. Values are time-major: row = frame, [length, channels]. */
export interface Activations {
  /** Input of the next block. */
  readonly x: Tensor<"f32">;
  /** As large as x. */
  readonly spare: Tensor<"f32">;
  /** For what lives within one block. */
  readonly inner: Tensor<"f32">;
  /** For the LSTM, where there is one. */
  readonly lstm: LstmBuffers | undefined;
  readonly length: number;
}

/** A module of the codec. The ELU that follows some of them belongs to them, so that it costs no pass over memory. */
export interface Block {
  readonly outChannels: number;
  outLength(length: number): number;
  /** Values of {@link Activations.inner} that it needs. */
  innerSize(length: number): number;
  record(recorder: Recorder, activations: Activations): Activations;
}

interface BlockOptions {
  /** Apply ELU to the result. */
  elu: boolean;
}

/** Convolution that pads as the config says. Weights `{name}.conv.*`. */
export class EncodecConv1d implements Block {
  readonly outChannels: number;
  readonly conv: Conv1d;
  readonly #config: EncodecConfig;
  readonly #options: BlockOptions;

  private constructor(conv: Conv1d, config: EncodecConfig, options: BlockOptions) {
    this.conv = conv;
    this.outChannels = conv.outChannels;
    this.#config = config;
    this.#options = options;
  }

  static async load(
    scope: Scope,
    weights: CodecWeights,
    name: string,
    config: EncodecConfig,
    shape: ConvShape & { dilation?: number; stride?: number },
    options: BlockOptions = { elu: false },
  ): Promise<EncodecConv1d> {
    const weight = await weights.conv(`${name}.conv`, shape);
    const bias = await weights.values(`${name}.conv.bias`, [shape.outChannels]);
    const { outChannels, inChannels, kernelSize, dilation = 1, stride = 1 } = shape;
    const sizes = { outChannels, inChannels, kernelSize };
    const conv = createConv1d(scope, weight, sizes, weights.prefix + name, { bias, dilation, stride });
    return new EncodecConv1d(conv, config, options);
  }

  outLength(length: number): number {
    return Math.ceil(length / this.conv.stride);
  }

  innerSize(): number {
    return 0;
  }

  /** Records y = conv(x) on its own, for use inside another block. */
  apply(recorder: Recorder, x: Tensor<"f32">, length: number, y: Tensor<"f32">, options: Conv1dOptions = {}): void {
    const { outChannels, inChannels, kernelSize } = this.conv;
    const padding = convPadding(this.conv, length, this.#config.pad_mode, this.#config.use_causal_conv);
    const program = recorder.program(this.outLength(length) * outChannels * inChannels * kernelSize);
    conv1d(program, x, length, this.conv, y, { ...options, padding });
  }

  record(recorder: Recorder, activations: Activations): Activations {
    const { x, spare, length } = activations;
    this.apply(recorder, x, length, spare, this.#options);
    return { ...activations, x: spare, spare: x, length: this.outLength(length) };
  }
}

/** Upsampling by a transposed convolution, trimmed to `length * stride` rows. Weights `{name}.conv.*`. */
export class EncodecConvTranspose1d implements Block {
  readonly outChannels: number;
  readonly #conv: ConvTranspose1d;
  readonly #trim: Trim;
  readonly #options: BlockOptions;

  private constructor(conv: ConvTranspose1d, trim: Trim, options: BlockOptions) {
    this.#conv = conv;
    this.outChannels = conv.outChannels;
    this.#trim = trim;
    this.#options = options;
  }

  static async load(
    scope: Scope,
    weights: CodecWeights,
    name: string,
    config: EncodecConfig,
    shape: ConvShape & { stride: number },
    options: BlockOptions,
  ): Promise<EncodecConvTranspose1d> {
    const weight = await weights.convTranspose(`${name}.conv`, shape);
    const bias = await weights.values(`${name}.conv.bias`, [shape.outChannels]);
    const conv = createConvTranspose1d(scope, weight, shape, weights.prefix + name, { bias });
    const total = shape.kernelSize - shape.stride;
    const right = config.use_causal_conv ? Math.ceil(total * config.trim_right_ratio) : Math.floor(total / 2);
    return new EncodecConvTranspose1d(conv, { left: total - right, right }, options);
  }

  outLength(length: number): number {
    return length * this.#conv.stride;
  }

  innerSize(): number {
    return 0;
  }

  record(recorder: Recorder, activations: Activations): Activations {
    const { x, spare, length } = activations;
    const { outChannels, inChannels, kernelSize } = this.#conv;
    const program = recorder.program(length * outChannels * inChannels * kernelSize);
    convTranspose1d(program, x, length, this.#conv, spare, { trim: this.#trim, elu: this.#options.elu });
    return { ...activations, x: spare, spare: x, length: this.outLength(length) };
  }
}

/** y = LSTM(x) + x over all layers, then ELU. Weights `{name}.lstm.*`. */
export class EncodecLSTM implements Block {
  readonly outChannels: number;
  readonly #layers: Lstm;

  private constructor(layers: Lstm, dimension: number) {
    this.#layers = layers;
    this.outChannels = dimension;
  }

  static async load(
    scope: Scope,
    weights: CodecWeights,
    name: string,
    config: EncodecConfig,
    dimension: number,
  ): Promise<EncodecLSTM> {
    const layers: LstmWeights[] = [];
    for (let i = 0; i < config.num_lstm_layers; i++) layers.push(await weights.lstm(`${name}.lstm`, i, dimension));
    return new EncodecLSTM(createLstm(scope, layers, dimension, `${weights.prefix}${name}.lstm`), dimension);
  }

  outLength(length: number): number {
    return length;
  }

  innerSize(): number {
    return 0;
  }

  record(recorder: Recorder, activations: Activations): Activations {
    const { x, length } = activations;
    const buffers = activations.lstm!;
    lstm(recorder, x, length, this.#layers, buffers);
    add(recorder.program(0), buffers.h, x, { size: length * this.outChannels, elu: true });
    return activations;
  }
}

/** y = shortcut(x) + conv(elu(conv(elu(x)))). Weights `{name}.block.{1,3}.conv.*`, `{name}.shortcut.conv.*`. */
export class EncodecResnetBlock implements Block {
  readonly outChannels: number;
  readonly #convs: readonly [EncodecConv1d, EncodecConv1d];
  readonly #shortcut: EncodecConv1d | undefined;
  readonly #options: BlockOptions;

  private constructor(
    convs: readonly [EncodecConv1d, EncodecConv1d],
    shortcut: EncodecConv1d | undefined,
    options: BlockOptions,
  ) {
    this.#convs = convs;
    this.outChannels = convs[1].outChannels;
    this.#shortcut = shortcut;
    this.#options = options;
  }

  static async load(
    scope: Scope,
    weights: CodecWeights,
    name: string,
    config: EncodecConfig,
    dimension: number,
    options: BlockOptions & { dilation: number },
  ): Promise<EncodecResnetBlock> {
    const inner = Math.floor(dimension / config.compress);
    const load = (part: string, inChannels: number, outChannels: number, kernelSize: number, dilation = 1) =>
      EncodecConv1d.load(scope, weights, `${name}.${part}`, config, { outChannels, inChannels, kernelSize, dilation });
    const first = await load("block.1", dimension, inner, config.residual_kernel_size, options.dilation);
    const second = await load("block.3", inner, dimension, 1);
    const shortcut = config.use_conv_shortcut ? await load("shortcut", dimension, dimension, 1) : undefined;
    return new EncodecResnetBlock([first, second], shortcut, options);
  }

  outLength(length: number): number {
    return length;
  }

  innerSize(length: number): number {
    return length * this.#convs[0].outChannels;
  }

  record(recorder: Recorder, activations: Activations): Activations {
    const { x, spare, inner, length } = activations;
    const size = length * this.outChannels;
    const [first, second] = this.#convs;
    const last = { accumulate: true, elu: this.#options.elu };
    if (this.#shortcut === undefined) {
      recorder.program(0).copy(x, 0, spare, 0, size);
      first.apply(recorder, spare, length, inner, { eluInput: true, elu: true });
      second.apply(recorder, inner, length, x, last);
      return activations;
    }
    this.#shortcut.apply(recorder, x, length, spare);
    first.apply(recorder, x, length, inner, { eluInput: true, elu: true });
    second.apply(recorder, inner, length, spare, last);
    return { ...activations, x: spare, spare: x };
  }
}
