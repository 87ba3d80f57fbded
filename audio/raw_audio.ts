import { readInteger, readString } from "../engine/check/arguments.ts";
import { checkFinite, readArray, type ArrayInput } from "../engine/check/array_argument.ts";
import { EngineError } from "../engine/errors.ts";
import { NdArray } from "../engine/ndarray.ts";
import { encode_wav, write_wav, type WavOptions } from "./wav.ts";

/** How a WAV file holds the samples. */
export type RawAudioOptions = Pick<WavOptions, "format">;

const readRate = readInteger(1, 2 ** 32 - 1);
const readSamples = readArray([1, 2], checkFinite);

/** Sound with its sampling rate, as in transformers.js. Whatever takes sound takes it. */
export class RawAudio {
  /** Full scale ±1, unclipped. [samples], of more than one channel [channels * samples], channel after channel. */
  readonly audio: Float32Array<ArrayBuffer>;
  /** Samples a second. */
  readonly sampling_rate: number;
  readonly channels: number;

  /** @param audio [samples] or [channels, samples]. @throws EngineError `usage` for samples that are not finite. */
  constructor(audio: ArrayInput, sampling_rate: number) {
    const { data, shape } = readSamples(audio, "audio");
    this.audio = data;
    this.sampling_rate = readRate(sampling_rate, "sampling_rate");
    this.channels = shape.length === 1 ? 1 : shape[0];
  }

  /** With {@link dims}: the same as a tensor, which every function that takes an array reads. */
  get data(): Float32Array<ArrayBuffer> {
    return this.audio;
  }

  get dims(): readonly number[] {
    return this.channels === 1 ? [this.audio.length] : [this.channels, this.audio.length / this.channels];
  }

  /** [channels, samples]. */
  toArray(): NdArray<Float32Array<ArrayBuffer>> {
    return new NdArray(this.audio, [this.channels, this.audio.length / this.channels]);
  }

  /** A WAV file, 16-bit PCM unless `format` says float32. */
  toWav(options: RawAudioOptions = {}): ArrayBuffer {
    return encode_wav(this.sampling_rate, this.#interleaved(), { ...options, channels: this.channels }).buffer;
  }

  /** The WAV file for a page: a download, or the `src` of an audio element by `URL.createObjectURL`. */
  toBlob(options: RawAudioOptions = {}): Blob {
    return new Blob([this.toWav(options)], { type: "audio/wav" });
  }

  /**
   * Writes the WAV file (Node and Deno), whole or not at all.
   * @throws EngineError `usage` for a name that does not end in `.wav`, and in a page; `io`.
   */
  async save(path: string, options: RawAudioOptions = {}): Promise<void> {
    const file = readString(path, "path");
    if (!/\.wav$/i.test(file))
      throw new EngineError("usage", "is not the name of a WAV file", {
        where: file,
        expected: ".wav",
        fix: `name it ${file.replace(/\.[^./\\]*$/, "")}.wav`,
      });
    await write_wav(file, this.sampling_rate, this.#interleaved(), { ...options, channels: this.channels });
  }

  /** [samples, channels], as WAV files hold them. */
  #interleaved(): Float32Array<ArrayBuffer> {
    const { audio, channels } = this;
    const samples = audio.length / channels;
    return audio.map((_, i) => audio[(i % channels) * samples + Math.floor(i / channels)]);
  }
}
