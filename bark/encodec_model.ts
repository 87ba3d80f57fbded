import { requireSamplingRate } from "../audio/sampling_rate.ts";
import { EncodecDecoder } from "../encodec/decoder.ts";
import type { EncodecEncoder } from "../encodec/encoder.ts";
import { codecTensors } from "../encodec/expected_tensors.ts";
import { refuseMore } from "../engine/check/arguments.ts";
import type { ArrayInput } from "../engine/check/array_argument.ts";
import { EngineError } from "../engine/errors.ts";
import { NdArray } from "../engine/ndarray.ts";
import type { ExpectedTensor } from "../engine/weights/expected_tensors.ts";
import type { TensorReader } from "../engine/weights/tensor_reader.ts";
import {
  readAudio,
  readAudioCodes,
  readDecodeOptions,
  readEncodeOptions,
  type CallOptions,
  type EncodecEncodeOptions,
} from "./generate/options/codec_arguments.ts";
import { decodeCodes } from "./generate/codec_stage.ts";
import { EncodecDecodeStream } from "./generate/codec_stream.ts";
import { EncodecConfig } from "./config/config.ts";
import { newWeights, readFromConfig, requireConfig, type FromConfigOptions } from "./load/from_config.ts";
import { readModelOptions } from "./load/load_arguments.ts";
import type { FromPretrainedOptions } from "./load/load_options.ts";
import { openStored } from "./load/prepare.ts";
import { Residency, type ResidentPart } from "./load/residency.ts";
import { StageRun } from "./generate/stage_run.ts";
import { openCheckpoint, type CheckpointSource } from "./load/open_checkpoint.ts";
import { SubModel, type SubModelSource } from "./sub_models.ts";

/** Codes [1, batch, codebooks, frames] and audio [batch, channels, samples]. */
export interface EncodecOutput {
  readonly audio_codes: NdArray<Int32Array>;
  readonly audio_values: NdArray<Float32Array>;
}

/** {@link EncodecModel.forward}, called by the model itself. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- only so can a class say that it is callable
export interface EncodecModel {
  (input_values: ArrayInput, options?: EncodecEncodeOptions, ...more: never[]): Promise<EncodecOutput>;
}

/** EnCodec: audio to codes and back. Both halves run in f32, whatever the checkpoint stores. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- as above
export class EncodecModel extends SubModel<EncodecConfig, EncodecDecoder> {
  readonly #encoder: ResidentPart<EncodecEncoder>;

  /** For `from_pretrained` and `from_config`; the decoder knows the first `codebooks` codebooks. */
  constructor(
    source: Omit<SubModelSource, "format">,
    config: EncodecConfig,
    { codebooks, owned }: { codebooks?: number; owned?: Residency } = {},
  ) {
    super(source, config, (gpu, reader) => EncodecDecoder.load(gpu, reader, source.prefix, config, codebooks), owned);
    const { residency, prefix } = source;
    this.#encoder = residency.addOnDemand(prefix, async (gpu, reader) => {
      // A page that only speaks does not fetch the code of this half.
      const { EncodecEncoder } = await import("../encodec/encoder.ts");
      return await EncodecEncoder.load(gpu, reader, prefix, config);
    });
  }

  /**
   * From a checkpoint of the codec alone or of a whole Bark. Each half is read at its first use.
   * @throws EngineError `bad-input`, `no-adapter`.
   */
  static async from_pretrained(source: CheckpointSource, given: FromPretrainedOptions = {}): Promise<EncodecModel> {
    const options = readModelOptions(given);
    const store = await openCheckpoint(source, options);
    const config = await EncodecConfig.from_pretrained(store);
    const prefixIn = (reader: TensorReader): string =>
      Array.from(reader.names()).some((name) => name.startsWith("codec_model.")) ? "codec_model." : "";
    const open = (): Promise<TensorReader> => openStored(store, options.dtype);
    return await Residency.opened(open, options, prefixIn, async (residency, prefix) => {
      return new EncodecModel({ residency, prefix }, config, { owned: residency });
    });
  }

  /**
   * A new codec with random weights, as transformers' `EncodecModel(config)`: its codebooks are zeros.
   * @throws EngineError `bad-input` for a config of another codec than the 24 kHz one's kind, `no-adapter`.
   */
  static async from_config(config: EncodecConfig, given: FromConfigOptions = {}): Promise<EncodecModel> {
    requireConfig(config, EncodecConfig, "EncodecModel");
    const options = readFromConfig(given);
    const open = newWeights("EncodecModel", codecTensors(config), config, options);
    return await Residency.opened(
      open,
      options,
      () => undefined,
      async (residency) => new EncodecModel({ residency, prefix: "" }, config, { owned: residency }),
    );
  }

  protected override tensors(): Iterable<ExpectedTensor> {
    return codecTensors(this.config);
  }

  /**
   * Audio to codes.
   * @param input_values full scale ±1 at `config.sampling_rate`: [batch, channels, samples], or without the leading axes.
   * @returns `audio_codes` [1, batch, codebooks, frames], as transformers' `EncodecModel.encode` gives them.
   * @throws EngineError `usage` for a bandwidth that the codec does not have, or audio that is empty or not finite.
   */
  async encode(
    input_values: ArrayInput,
    options: EncodecEncodeOptions = {},
    ...more: never[]
  ): Promise<{ audio_codes: NdArray<Int32Array>; audio_scales: null[] }> {
    refuseMore("encode", more, "give encode(input_values, { bandwidth, signal, on_progress })");
    const { bandwidth, signal, on_progress } = readEncodeOptions(options);
    requireSamplingRate(input_values, this.config.sampling_rate, "input_values");
    const { data, shape } = readAudio(input_values, "input_values");
    const { audio_channels: channels } = this.config;
    const [batch, rows, samples] = [...[1, 1, 1].slice(shape.length), ...shape];
    if (shape.length > 3 || rows !== channels)
      throw new EngineError("usage", "audio does not fit the codec", {
        where: "input_values",
        expected: `[batch, ${channels}, samples]`,
        actual: `[${shape.join(", ")}]`,
      });
    const run = new StageRun("codec", { seed: 0n, signal, onProgress: on_progress });
    const frames = Math.ceil(samples / this.config.hop_length);
    const codes = await this.#encoder.use(
      async (encoder) => {
        const results: Int32Array[] = [];
        for (let i = 0; i < batch; i++) {
          const onProgress = (done: number, total: number): void =>
            run.report(Math.round((i + done / total) * frames), batch * frames);
          const audio = data.subarray(i * rows * samples, (i + 1) * rows * samples);
          results.push((await encoder.encode(audio, { bandwidth, signal, onProgress })).data);
        }
        return results;
      },
      { signal, on_progress },
    );
    const audio_codes = Int32Array.from(codes.flatMap((row) => Array.from(row)));
    return {
      audio_codes: new NdArray(audio_codes, [1, batch, codes[0].length / frames, frames]),
      audio_scales: [null],
    };
  }

  /** {@link encode}, then {@link decode}: codes, and audio as long as what was given. @throws EngineError as both. */
  async forward(
    input_values: ArrayInput,
    options: EncodecEncodeOptions = {},
    ...more: never[]
  ): Promise<EncodecOutput> {
    const { audio_codes } = await this.encode(input_values, options, ...more);
    const { signal = null, on_progress = null } = options;
    const { audio_values: whole } = await this.decode(audio_codes, { signal, on_progress });
    const samples = readAudio(input_values, "input_values").shape.at(-1)!;
    const [batch, channels, length] = whole.shape;
    const kept = whole.data.filter((_, i) => i % length < samples);
    return { audio_codes, audio_values: new NdArray(kept, [batch, channels, samples]) };
  }

  /**
   * Codes to audio.
   * @param audio_codes [1, batch, codebooks, frames], or without the leading axes.
   * @returns `audio_values` [batch, channels, samples], unclipped.
   * @throws EngineError `usage` for codes that do not fit the codec.
   */
  async decode(
    audio_codes: ArrayInput,
    options: CallOptions = {},
    ...more: never[]
  ): Promise<{ audio_values: NdArray<Float32Array> }> {
    refuseMore("decode", more, "give decode(audio_codes, { signal, on_progress })");
    const { signal, on_progress } = readDecodeOptions(options);
    const codes = readAudioCodes(audio_codes);
    const [batch] = codes.shape;
    const run = new StageRun("codec", { seed: 0n, signal, onProgress: on_progress });
    const watch = { signal, on_progress };
    const audio = await this.weights.use((decoder) => decodeCodes(decoder, codes, undefined, run), watch);
    const { audio_channels: channels } = this.config;
    return { audio_values: new NdArray(audio.data, [batch, channels, audio.size / batch / channels]) };
  }

  /**
   * A decoder for codes that come bit by bit: what it gives is what {@link decode} gives for all of them together. Any
   * number of streams can be open, and they cost the GPU nothing between two calls.
   * @throws EngineError `usage` for a codec whose samples depend on later frames.
   */
  decode_stream(): EncodecDecodeStream {
    return new EncodecDecodeStream(this.weights, this.config);
  }
}
