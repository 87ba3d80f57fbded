import { EngineError } from "../engine/errors.ts";
import type { Gpu } from "../engine/gpu.ts";
import { NdArray } from "../engine/ndarray.ts";
import type { TensorReader } from "../engine/weights/tensor_reader.ts";
import { contextFrames, cutIntoChunks, type Chunk } from "./chunks.ts";
import type { EncodecConfig } from "./config.ts";
import { EncodecConv1d, EncodecLSTM, EncodecResnetBlock, type Activations, type Block } from "./layers.ts";
import { EncodecQuantizer } from "./quantizer.ts";
import { Recorder } from "../engine/program/recorder.ts";
import { Scope } from "../engine/scope.ts";
import { checkEncoderConfig } from "./supported.ts";
import { activationsFor, transpose, walk } from "./walk.ts";
import { CodecWeights } from "./weights.ts";

export interface EncodeOptions {
  /** kbit/s, one of the config's `target_bandwidths`. Default: the first, which is the smallest. */
  bandwidth?: number;
  signal?: AbortSignal;
  /** Called after each submit with the numbers of finished and of all submits. */
  onProgress?: (done: number, total: number) => void;
  /** Frames that the convolutions compute at a time, for tests. */
  chunkFrames?: number;
}

/**
 * Most values of one activation of a chunk. It bounds the memory (0.5 GB for 60 s of audio without it) and the time of a
 * dispatch. With the 24 kHz codec a chunk is 5.5 s.
 */
const valuesPerChunk = 2 ** 22;

/** The modules of the encoder: convolutions that see a few frames, then an LSTM that sees all before. */
interface Layers {
  readonly convolutions: Block[];
  readonly end: Block[];
}

/** The encoding half of EnCodec (Défossez et al. 2022): audio to codes of the residual quantizer. */
export class EncodecEncoder {
  readonly gpu: Gpu;
  readonly config: EncodecConfig;
  readonly #quantizer: EncodecQuantizer;
  readonly #layers: Layers;
  readonly #weights: Scope;

  private constructor(weights: Scope, config: EncodecConfig, quantizer: EncodecQuantizer, layers: Layers) {
    this.gpu = weights.gpu;
    this.#weights = weights;
    this.config = config;
    this.#quantizer = quantizer;
    this.#layers = layers;
  }

  /**
   * Loads the encoder and the first `codebooks` codebooks from the tensors under `prefix`; weight norm under either of
   * transformers' namings or folded.
   * @throws EngineError `bad-input` if a tensor is missing or does not fit the config, or the config is not supported.
   */
  static async load(
    gpu: Gpu,
    reader: TensorReader,
    prefix: string,
    config: EncodecConfig,
    codebooks: number = config.num_quantizers,
  ): Promise<EncodecEncoder> {
    checkEncoderConfig(config);
    const weights = new CodecWeights(reader, prefix);
    return await Scope.whole(gpu, async (scope) => {
      const layers = await loadLayers(scope, weights, config);
      return new EncodecEncoder(scope, config, await EncodecQuantizer.load(scope, weights, config, codebooks), layers);
    });
  }

  /**
   * Codes of a signal, [codebooks, frames], with ceil(samples / hop_length) frames; equal to transformers'
   * `EncodecModel.encode` without a mask.
   * @param audio [audio_channels, samples] row-major, at the config's `sampling_rate`, full scale ±1.
   * @throws EngineError `usage` for a bandwidth that the codec does not have, or audio that is empty or not finite.
   */
  async encode(audio: Float32Array, options: EncodeOptions = {}): Promise<NdArray<Int32Array>> {
    const codebooks = this.#countCodebooks(options.bandwidth);
    const samples = this.#countSamples(audio);
    const frames = Math.ceil(samples / this.config.hop_length);
    return await Scope.during(this.gpu, async (scope) => {
      const recorder = new Recorder(scope, "codec encode");
      const latent = this.#recordConvolutions(recorder, scope, audio, samples, options.chunkFrames);
      const end = walk(this.#layers.end, recorder, latent);
      const codes = this.#quantizer.record(recorder, end.x, frames, codebooks, scope);
      await recorder.run(options.signal, options.onProgress);
      return new NdArray(Int32Array.from(await codes.read()), [codebooks, frames]);
    });
  }

  dispose(): void {
    this.#weights.dispose();
  }

  /** Records all that comes before the LSTM, chunk by chunk; the result is what the LSTM starts from. */
  #recordConvolutions(
    recorder: Recorder,
    scope: Scope,
    audio: Float32Array,
    samples: number,
    chunkFrames?: number,
  ): Activations {
    const { audio_channels: channels, hop_length: hop, num_filters: filters } = this.config;
    const { convolutions, end } = this.#layers;
    const frames = Math.ceil(samples / hop);
    const size = chunkFrames ?? Math.ceil(valuesPerChunk / (hop * Math.max(filters, channels)));
    const chunks = cutIntoChunks(frames, size, contextFrames(this.config));
    const samplesOf = ({ first, last }: Chunk): number => Math.min(last * hop, samples) - first * hop;

    const values = transpose(Float32Array.from(audio), channels, samples);
    const input = scope.tensorFrom("f32", [values.length], values, "codec audio");
    const width = convolutions[convolutions.length - 1].outChannels;
    const latent = activationsFor(end, frames, width, scope);
    const buffers = activationsFor(convolutions, Math.max(...chunks.map(samplesOf)), channels, scope);
    for (const chunk of chunks) {
      const length = samplesOf(chunk);
      recorder.program(0).copy(input, chunk.first * hop * channels, buffers.x, 0, length * channels);
      const { x } = walk(convolutions, recorder, { ...buffers, length });
      const kept = (chunk.end - chunk.begin) * width;
      recorder.program(0).copy(x, (chunk.begin - chunk.first) * width, latent.x, chunk.begin * width, kept);
    }
    return latent;
  }

  #countCodebooks(bandwidth: number = this.config.target_bandwidths[0]): number {
    const { target_bandwidths: allowed } = this.config;
    const codebooks = this.config.codebooks_at(bandwidth);
    if (allowed.includes(bandwidth) && codebooks <= this.#quantizer.count) return codebooks;
    throw new EngineError("usage", "the codec does not have this bandwidth", {
      where: "bandwidth",
      expected: `one of ${allowed.filter((value) => this.config.codebooks_at(value) <= this.#quantizer.count).join(", ")}`,
      actual: bandwidth,
    });
  }

  #countSamples(audio: Float32Array): number {
    const { audio_channels: channels } = this.config;
    const refuse = (expected: string, actual: string): never => {
      throw new EngineError("usage", "audio cannot be encoded", { where: "audio", expected, actual });
    };
    if (audio.length === 0 || audio.length % channels !== 0)
      refuse(`at least one sample of each of ${channels} channels`, `${audio.length} samples`);
    const wrong = audio.findIndex((value) => !Number.isFinite(value));
    if (wrong !== -1) refuse("finite samples", `${audio[wrong]} at ${wrong}`);
    return audio.length / channels;
  }
}

/** The modules in order; their names count ELUs too (transformers, `EncodecEncoder`). */
async function loadLayers(scope: Scope, weights: CodecWeights, config: EncodecConfig): Promise<Layers> {
  const convolutions: Block[] = [];
  const end: Block[] = [];
  let index = 0;
  const name = (): string => `encoder.layers.${index++}`;
  const residuals = config.num_residual_layers;
  const strides = config.upsampling_ratios.toReversed();
  let channels = config.num_filters;

  const first = { inChannels: config.audio_channels, outChannels: channels, kernelSize: config.kernel_size };
  convolutions.push(await EncodecConv1d.load(scope, weights, name(), config, first, { elu: residuals === 0 }));
  for (const [i, stride] of strides.entries()) {
    for (let j = 0; j < residuals; j++) {
      const options = { elu: j === residuals - 1, dilation: config.dilation_growth_rate ** j };
      convolutions.push(await EncodecResnetBlock.load(scope, weights, name(), config, channels, options));
    }
    index++; // ELU
    const shape = { inChannels: channels, outChannels: 2 * channels, kernelSize: 2 * stride, stride };
    // The LSTM takes its input as it is.
    const downsampling = { elu: residuals === 0 && i < strides.length - 1 };
    convolutions.push(await EncodecConv1d.load(scope, weights, name(), config, shape, downsampling));
    channels *= 2;
  }
  end.push(await EncodecLSTM.load(scope, weights, name(), config, channels));
  index++; // ELU
  const last = { inChannels: channels, outChannels: config.hidden_size, kernelSize: config.last_kernel_size };
  end.push(await EncodecConv1d.load(scope, weights, name(), config, last));
  return { convolutions, end };
}
