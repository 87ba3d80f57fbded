import { EngineError } from "../engine/errors.ts";
import type { Gpu } from "../engine/gpu.ts";
import { NdArray } from "../engine/ndarray.ts";
import { Tensor } from "../engine/tensor.ts";
import type { TensorReader } from "../engine/weights/tensor_reader.ts";
import { contextFrames, cutIntoChunks } from "./chunks.ts";
import type { EncodecConfig } from "./config.ts";
import { checkDecoder } from "./expected_tensors.ts";
import {
  EncodecConv1d,
  EncodecConvTranspose1d,
  EncodecLSTM,
  EncodecResnetBlock,
  type Activations,
  type Block,
} from "./layers.ts";
import { EncodecCodebooks } from "./quantizer.ts";
import { Recorder } from "../engine/program/recorder.ts";
import { Scope } from "../engine/scope.ts";
import { codeContext, startFrames, type DecoderState } from "./stream.ts";
import { activationsFor, transpose, walk } from "./walk.ts";
import { CodecWeights } from "./weights.ts";

export interface DecodeOptions {
  signal?: AbortSignal;
  /** Called after each submit with the numbers of finished and of all submits. */
  onProgress?: (done: number, total: number) => void;
  /** Frames that the upsampling computes at a time, for tests. */
  chunkFrames?: number;
}

/**
 * Most values of one activation of a chunk. It bounds the memory: an activation of 44 s of audio would not fit a binding of
 * an adapter with default limits. With the 24 kHz codec a chunk is 11 s.
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
  readonly #weights: Scope;

  private constructor(weights: Scope, config: EncodecConfig, codebooks: EncodecCodebooks, layers: Layers) {
    this.gpu = weights.gpu;
    this.#weights = weights;
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
    checkDecoder(reader, prefix, config, codebooks);
    const weights = new CodecWeights(reader, prefix);
    return await Scope.whole(gpu, async (scope) => {
      const layers = await loadLayers(scope, weights, config);
      return new EncodecDecoder(scope, config, await EncodecCodebooks.load(scope, weights, config, codebooks), layers);
    });
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
    return await Scope.during(this.gpu, async (scope) => {
      const recorder = new Recorder(scope, "codec decode");
      const codesTensor = codes instanceof Tensor ? codes : this.#upload(codes, codebooks, scope);
      const start = activationsFor(this.#layers.start, frames, this.#codebooks.dimension, scope);
      this.#codebooks.record(recorder.program(0), codesTensor, codebooks, frames, start.x);
      const latent = walk(this.#layers.start, recorder, start);
      const audio = this.#recordUpsampling(recorder, scope, latent, options.chunkFrames);
      await recorder.run(options.signal, options.onProgress);
      const { audio_channels: channels, hop_length: hop } = this.config;
      const rows = (await audio.read()) as Float32Array<ArrayBuffer>;
      return new NdArray(transpose(rows, frames * hop, channels), [channels, frames * hop]);
    });
  }

  /**
   * Audio of the frames that follow those of `before`, as one {@link decode} of all frames would give it (within rounding).
   * @param codes [frames, codebooks] row-major.
   * @returns [audio_channels, samples], empty until the codec's first convolution has {@link startFrames}; and the state
   * after these frames. `before` is unchanged, so a call that failed can be repeated.
   */
  async decodeNext(
    codes: Int32Array,
    codebooks: number,
    before: DecoderState,
    { signal, onProgress }: Pick<DecodeOptions, "signal" | "onProgress"> = {},
  ): Promise<{ audio: NdArray<Float32Array>; state: DecoderState }> {
    const { audio_channels: channels, hop_length: hop } = this.config;
    this.#countCodebooks(codes, codes.length / codebooks);
    this.#codebooks.check(codes, codebooks);
    const all = Int32Array.from([...before.codes, ...codes]);
    const rows = all.length / codebooks;
    if (before.memory === undefined && rows < startFrames(this.config))
      return { audio: new NdArray(new Float32Array(0), [channels, 0]), state: { codes: all, memory: undefined } };
    return await Scope.during(this.gpu, async (scope) => {
      const recorder = new Recorder(scope, "codec stream");
      const context = before.memory === undefined ? 0 : codeContext(this.config);
      const { latent, memory, skip } = this.#recordNext(recorder, scope, all, rows, context, before.memory);
      const audio = this.#recordUpsampling(recorder, scope, latent);
      await recorder.run(signal, onProgress);
      const samples = (rows - context) * hop;
      const [values, kept] = await Promise.all([audio.read(skip * hop * channels), memory.read()]);
      return {
        audio: new NdArray(transpose(values as Float32Array<ArrayBuffer>, samples, channels), [channels, samples]),
        state: {
          codes: all.slice(Math.max(0, rows - codeContext(this.config)) * codebooks),
          memory: kept as Float32Array<ArrayBuffer>,
        },
      };
    });
  }

  dispose(): void {
    this.#weights.dispose();
  }

  /**
   * Records the first convolution and the LSTM of a stream. @param codes [rows, codebooks], the first `context` rows of an
   * earlier call. @returns the latent, of which the first `skip` frames are of earlier calls, and the state's memory.
   */
  #recordNext(
    recorder: Recorder,
    scope: Scope,
    codes: Int32Array,
    rows: number,
    context: number,
    before: DecoderState["memory"],
  ): { latent: Pick<Activations, "x" | "length">; memory: Tensor<"f32">; skip: number } {
    const [conv, lstm] = this.#layers.start;
    const width = lstm.outChannels;
    const frames = rows - context;
    const states = 2 * this.config.num_lstm_layers * width;
    const kept = contextFrames(this.config);
    const skip = before === undefined ? 0 : kept;
    const memory = scope.tensorFrom(
      "f32",
      [states + kept * width],
      before ?? new Float32Array(states + kept * width),
      "codec memory",
    );
    const latent = scope.tensor("f32", [(skip + frames) * width], "codec latent");

    // One row more than the frames: the LSTM's state has a row of its own.
    const start = activationsFor(this.#layers.start, rows + 1, this.#codebooks.dimension, scope);
    const codesTensor = scope.tensorFrom("u32", [codes.length], Uint32Array.from(codes), "codec codes");
    this.#codebooks.record(recorder.program(0), codesTensor, codes.length / rows, rows, start.x);
    const { x, spare } = conv.record(recorder, { ...start, length: rows });
    recorder.program(0).copy(x, context * width, spare, width, frames * width);
    const lstmBuffers = { ...start.lstm!, state: memory };
    const steps = { ...start, x: spare, spare: x, lstm: lstmBuffers, length: frames + 1 };
    const { x: outputs } = lstm.record(recorder, steps);

    const program = recorder.program(0);
    if (skip > 0) program.copy(memory, states, latent, 0, skip * width);
    program.copy(outputs, width, latent, skip * width, frames * width);
    program.copy(latent, (skip + frames - kept) * width, memory, states, kept * width);
    return { latent: { x: latent, length: skip + frames }, memory, skip };
  }

  /** Records all that comes after the LSTM, chunk by chunk; the result is [frames * hop_length, audio_channels]. */
  #recordUpsampling(
    recorder: Recorder,
    scope: Scope,
    { x: latent, length: frames }: Pick<Activations, "x" | "length">,
    chunkFrames?: number,
  ): Tensor<"f32"> {
    const { audio_channels: channels, hop_length: hop, num_filters: filters } = this.config;
    const { start, upsampling } = this.#layers;
    const width = start[start.length - 1].outChannels;
    const size = chunkFrames ?? Math.ceil(valuesPerChunk / (hop * Math.max(filters, channels)));
    const chunks = cutIntoChunks(frames, size, contextFrames(this.config));
    const longest = Math.max(...chunks.map(({ first, last }) => last - first));
    const buffers = activationsFor(upsampling, longest, width, scope);
    const audio = scope.tensor("f32", [frames * hop * channels], "codec audio");
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

  #upload(codes: Int32Array | Uint32Array, codebooks: number, scope: Scope): Tensor<"u32"> {
    this.#codebooks.check(codes, codebooks);
    return scope.tensorFrom("u32", [codes.length], Uint32Array.from(codes), "codec codes");
  }
}

/** The modules in order; their names count ELUs too (transformers, `EncodecDecoder`). */
async function loadLayers(scope: Scope, weights: CodecWeights, config: EncodecConfig): Promise<Layers> {
  const start: Block[] = [];
  const upsampling: Block[] = [];
  let index = 0;
  const name = (): string => `decoder.layers.${index++}`;
  let channels = config.num_filters * 2 ** config.upsampling_ratios.length;
  const conv = (inChannels: number, outChannels: number, kernelSize: number): Promise<EncodecConv1d> =>
    EncodecConv1d.load(scope, weights, name(), config, { inChannels, outChannels, kernelSize });

  start.push(await conv(config.hidden_size, channels, config.kernel_size));
  start.push(await EncodecLSTM.load(scope, weights, name(), config, channels));
  for (const stride of config.upsampling_ratios) {
    index++; // ELU
    const shape = { inChannels: channels, outChannels: channels / 2, kernelSize: 2 * stride, stride };
    channels /= 2;
    const residuals = config.num_residual_layers;
    const elu = residuals === 0;
    upsampling.push(await EncodecConvTranspose1d.load(scope, weights, name(), config, shape, { elu }));
    for (let j = 0; j < residuals; j++) {
      const options = { elu: j === residuals - 1, dilation: config.dilation_growth_rate ** j };
      upsampling.push(await EncodecResnetBlock.load(scope, weights, name(), config, channels, options));
    }
  }
  index++; // ELU
  upsampling.push(await conv(channels, config.audio_channels, config.last_kernel_size));
  return { start, upsampling };
}
