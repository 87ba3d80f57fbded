import { EngineError } from "../engine/errors.ts";
import type { Gpu } from "../engine/gpu.ts";
import { NdArray } from "../engine/ndarray.ts";
import { Tensor } from "../engine/tensor.ts";
import type { TensorReader } from "../engine/tensor_reader.ts";
import { contextFrames, cutIntoChunks } from "./chunks.ts";
import type { EncodecConfig } from "./config.ts";
import {
  EncodecConv1d,
  EncodecConvTranspose1d,
  EncodecLSTM,
  EncodecResnetBlock,
  type Activations,
  type Block,
} from "./layers.ts";
import { EncodecCodebooks } from "./quantizer.ts";
import { Recorder } from "../engine/recorder.ts";
import { checkConfig } from "./supported.ts";
import { activationsFor, Scratch, transpose, walk } from "./walk.ts";
import { CodecWeights } from "./weights.ts";

export interface DecodeOptions {
  signal?: AbortSignal;
  /** Called after each submit with how many of how many are done. */
  onProgress?: (done: number, total: number) => void;
  /** Frames that the upsampling computes at a time, for tests. */
  chunkFrames?: number;
}

/**
 * Values that one activation of a chunk takes, at most: it bounds memory, and an activation of 44 s of audio would pass what
 * an adapter with the default limits can bind. With the 24 kHz codec a chunk is 11 s.
 */
const valuesPerChunk = 2 ** 23;

/** The modules of the decoder: a convolution and an LSTM that sees all before, then upsampling that sees a few frames. */
interface Layers {
  readonly start: Block[];
  readonly upsampling: Block[];
}

/** The decoding half of EnCodec (Défossez et al. 2022): codes of the residual quantizer to audio. */
export class EncodecDecoder {
  readonly gpu: Gpu;
  readonly config: EncodecConfig;
  readonly #codebooks: EncodecCodebooks;
  readonly #layers: Layers;

  private constructor(gpu: Gpu, config: EncodecConfig, codebooks: EncodecCodebooks, layers: Layers) {
    this.gpu = gpu;
    this.config = config;
    this.#codebooks = codebooks;
    this.#layers = layers;
  }

  /**
   * Loads the decoder and the first `codebooks` codebooks from the tensors under `prefix`; weight norm under either of
   * transformers' namings or folded.
   * @throws EngineError `bad-input` if a tensor is missing or does not fit the config, or the config is not supported.
   */
  static async load(
    gpu: Gpu,
    reader: TensorReader,
    prefix: string,
    config: EncodecConfig,
    codebooks: number = config.num_quantizers,
  ): Promise<EncodecDecoder> {
    checkConfig(config);
    const weights = new CodecWeights(reader, prefix);
    const layers: Layers = { start: [], upsampling: [] };
    try {
      await loadLayers(gpu, weights, config, layers);
      return new EncodecDecoder(gpu, config, await EncodecCodebooks.load(gpu, weights, config, codebooks), layers);
    } catch (error) {
      disposeLayers(layers);
      throw error;
    }
  }

  /**
   * Audio of `frames` frames of codes, [audio_channels, frames * hop_length], unclipped.
   * @param codes [frames, codebooks] row-major. Codes in host memory are checked; those in a tensor, whose last axis
   * is the codebooks, are not.
   */
  async decode(
    codes: Tensor<"u32"> | Int32Array | Uint32Array,
    frames: number,
    options: DecodeOptions = {},
  ): Promise<NdArray<Float32Array>> {
    const codebooks = this.#countCodebooks(codes, frames);
    const recorder = new Recorder(this.gpu, "codec decode");
    const scratch = new Scratch(this.gpu);
    try {
      const codesTensor = codes instanceof Tensor ? codes : this.#upload(codes, codebooks, scratch);
      const start = activationsFor(this.#layers.start, frames, this.#codebooks.dimension, scratch);
      this.#codebooks.record(recorder.program(0), codesTensor, codebooks, frames, start.x);
      const latent = walk(this.#layers.start, recorder, start);
      const audio = this.#recordUpsampling(recorder, scratch, latent, options.chunkFrames);
      await recorder.run(options.signal, options.onProgress);
      const { audio_channels: channels, hop_length: hop } = this.config;
      const rows = (await audio.read()) as Float32Array<ArrayBuffer>;
      return new NdArray(transpose(rows, frames * hop, channels), [channels, frames * hop]);
    } finally {
      recorder.dispose();
      scratch.dispose();
    }
  }

  dispose(): void {
    this.#codebooks.dispose();
    disposeLayers(this.#layers);
  }

  /** Records all that comes after the LSTM, chunk by chunk; the result is [frames * hop_length, audio_channels]. */
  #recordUpsampling(
    recorder: Recorder,
    scratch: Scratch,
    { x: latent, length: frames }: Activations,
    chunkFrames?: number,
  ): Tensor<"f32"> {
    const { audio_channels: channels, hop_length: hop, num_filters: filters } = this.config;
    const { start, upsampling } = this.#layers;
    const width = start[start.length - 1].outChannels;
    const size = chunkFrames ?? Math.ceil(valuesPerChunk / (hop * Math.max(filters, channels)));
    const chunks = cutIntoChunks(frames, size, contextFrames(this.config));
    const longest = Math.max(...chunks.map(({ first, last }) => last - first));
    const buffers = activationsFor(upsampling, longest, width, scratch);
    const audio = scratch.tensor("f32", frames * hop * channels, "audio");
    for (const { first, begin, end, last } of chunks) {
      const length = last - first;
      recorder.program(0).copy(latent, first * width, buffers.x, 0, length * width);
      const { x } = walk(upsampling, recorder, { ...buffers, length });
      const samples = (count: number): number => count * hop * channels;
      recorder.program(0).copy(x, samples(begin - first), audio, samples(begin), samples(end - begin));
    }
    return audio;
  }

  #countCodebooks(codes: Tensor<"u32"> | Int32Array | Uint32Array, frames: number): number {
    const codebooks = codes instanceof Tensor ? codes.shape[codes.shape.length - 1] : codes.length / frames;
    if (frames >= 1 && Number.isInteger(codebooks) && codebooks >= 1 && codebooks <= this.#codebooks.count)
      return codebooks;
    throw new EngineError("usage", "codes do not fit the codec", {
      where: "codes",
      expected: `[frames, codebooks] with at least 1 frame and 1 to ${this.#codebooks.count} codebooks`,
      actual: `${frames} frames, ${codebooks} codebooks`,
    });
  }

  #upload(codes: Int32Array | Uint32Array, codebooks: number, scratch: Scratch): Tensor<"u32"> {
    this.#codebooks.check(codes, codebooks);
    return scratch.tensorFrom("u32", Uint32Array.from(codes), "codes");
  }
}

function disposeLayers({ start, upsampling }: Layers): void {
  for (const block of [...start, ...upsampling]) block.dispose();
}

/** Appends the modules in order; their names count ELUs too (transformers, `EncodecDecoder`). */
async function loadLayers(
  gpu: Gpu,
  weights: CodecWeights,
  config: EncodecConfig,
  { start, upsampling }: Layers,
): Promise<void> {
  let index = 0;
  const name = (): string => `decoder.layers.${index++}`;
  let channels = config.num_filters * 2 ** config.upsampling_ratios.length;
  const conv = (inChannels: number, outChannels: number, kernelSize: number): Promise<EncodecConv1d> =>
    EncodecConv1d.load(gpu, weights, name(), config, { inChannels, outChannels, kernelSize });

  start.push(await conv(config.hidden_size, channels, config.kernel_size));
  start.push(await EncodecLSTM.load(gpu, weights, name(), config, channels));
  for (const stride of config.upsampling_ratios) {
    index++; // ELU
    const shape = { inChannels: channels, outChannels: channels / 2, kernelSize: 2 * stride, stride };
    channels /= 2;
    const residuals = config.num_residual_layers;
    const elu = residuals === 0;
    upsampling.push(await EncodecConvTranspose1d.load(gpu, weights, name(), config, shape, { elu }));
    for (let j = 0; j < residuals; j++) {
      const options = { elu: j === residuals - 1, dilation: config.dilation_growth_rate ** j };
      upsampling.push(await EncodecResnetBlock.load(gpu, weights, name(), config, channels, options));
    }
  }
  index++; // ELU
  upsampling.push(await conv(channels, config.audio_channels, config.last_kernel_size));
}
