import { EngineError } from "../engine/errors.ts";
import type { Gpu } from "../engine/gpu.ts";
import { NdArray } from "../engine/ndarray.ts";
import { Tensor } from "../engine/tensor.ts";
import type { TensorReader } from "../engine/tensor_reader.ts";
import type { EncodecConfig } from "./config.ts";
import { EncodecConv1d, EncodecConvTranspose1d, EncodecLSTM, EncodecResnetBlock, type Block } from "./layers.ts";
import { EncodecCodebooks } from "./quantizer.ts";
import { Recorder } from "../engine/recorder.ts";
import { checkConfig } from "./supported.ts";
import { activationsFor, Scratch, transpose, walk } from "./walk.ts";
import { CodecWeights } from "./weights.ts";

export interface DecodeOptions {
  signal?: AbortSignal;
  /** Called after each submit with how many of how many are done. */
  onProgress?: (done: number, total: number) => void;
}

/** The decoding half of EnCodec (Défossez et al. 2022): codes of the residual quantizer to audio. */
export class EncodecDecoder {
  readonly gpu: Gpu;
  readonly config: EncodecConfig;
  readonly #codebooks: EncodecCodebooks;
  readonly #blocks: readonly Block[];

  private constructor(gpu: Gpu, config: EncodecConfig, codebooks: EncodecCodebooks, blocks: readonly Block[]) {
    this.gpu = gpu;
    this.config = config;
    this.#codebooks = codebooks;
    this.#blocks = blocks;
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
    const blocks: Block[] = [];
    try {
      await loadBlocks(gpu, weights, config, blocks);
      return new EncodecDecoder(gpu, config, await EncodecCodebooks.load(gpu, weights, config, codebooks), blocks);
    } catch (error) {
      for (const block of blocks) block.dispose();
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
      const start = activationsFor(this.#blocks, frames, this.#codebooks.dimension, scratch);
      this.#codebooks.record(recorder.program(0), codesTensor, codebooks, frames, start.x);
      const end = walk(this.#blocks, recorder, start);
      await recorder.run(options.signal, options.onProgress);
      const { audio_channels: channels } = this.config;
      const rows = (await end.x.read(0, end.length * channels)) as Float32Array<ArrayBuffer>;
      return new NdArray(transpose(rows, end.length, channels), [channels, end.length]);
    } finally {
      recorder.dispose();
      scratch.dispose();
    }
  }

  dispose(): void {
    this.#codebooks.dispose();
    for (const block of this.#blocks) block.dispose();
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

/** Appends the modules in order; their names count ELUs too (transformers, `EncodecDecoder`). */
async function loadBlocks(gpu: Gpu, weights: CodecWeights, config: EncodecConfig, blocks: Block[]): Promise<void> {
  let index = 0;
  const name = (): string => `decoder.layers.${index++}`;
  let channels = config.num_filters * 2 ** config.upsampling_ratios.length;
  const conv = (inChannels: number, outChannels: number, kernelSize: number): Promise<EncodecConv1d> =>
    EncodecConv1d.load(gpu, weights, name(), config, { inChannels, outChannels, kernelSize });

  blocks.push(await conv(config.hidden_size, channels, config.kernel_size));
  blocks.push(await EncodecLSTM.load(gpu, weights, name(), config, channels));
  for (const stride of config.upsampling_ratios) {
    index++; // ELU
    const shape = { inChannels: channels, outChannels: channels / 2, kernelSize: 2 * stride, stride };
    channels /= 2;
    const residuals = config.num_residual_layers;
    const upsampling = { elu: residuals === 0 };
    blocks.push(await EncodecConvTranspose1d.load(gpu, weights, name(), config, shape, upsampling));
    for (let j = 0; j < residuals; j++) {
      const options = { elu: j === residuals - 1, dilation: config.dilation_growth_rate ** j };
      blocks.push(await EncodecResnetBlock.load(gpu, weights, name(), config, channels, options));
    }
  }
  index++; // ELU
  blocks.push(await conv(channels, config.audio_channels, config.last_kernel_size));
}
