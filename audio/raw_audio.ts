import { readInteger, readString } from "../engine/check/arguments.ts";
import { checkFinite, readArray, type ArrayInput } from "../engine/check/array_argument.ts";
import { EngineError } from "../engine/errors.ts";
import { NdArray } from "../engine/ndarray.ts";
import type { AudioEncoderOptions } from "./encode/encoder.ts";
import type { AudioFormat } from "./encode/formats.ts";
import { encode_wav, write_wav, writeBytes, type WavOptions } from "./wav.ts";

/** How a WAV file holds the samples, and the texts of its INFO list. */
export type RawAudioOptions = Pick<WavOptions, "format" | "info">;

/** What a file of any format can be told: kbit/s of a lossy one, and how the sound was made. */
export type RawAudioEncodeOptions = Pick<AudioEncoderOptions, "bitrate" | "tags">;

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

  /**
   * A sound file of 16 bits, or a compressed one. @param format `wav`, `pcm`, `mp3`, `opus`, `flac`, `aac` or `m4a`; the
   * encoders are optional packages, loaded here.
   * @throws EngineError `usage` for what the format cannot hold, `io` naming a package that is not installed.
   */
  async encode(format: AudioFormat, options: RawAudioEncodeOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    const { encode_audio } = await import("./encode/encoder.ts");
    return await encode_audio(this.audio, format, { ...options, ...this.#sizes });
  }

  /** The file for a page: a download, or the `src` of an audio element by `URL.createObjectURL`. A WAV is there at once. */
  toBlob(options?: RawAudioOptions): Blob;
  toBlob(options: RawAudioEncodeOptions & { format: AudioFormat }): Promise<Blob>;
  toBlob(options: RawAudioOptions | (RawAudioEncodeOptions & { format: AudioFormat }) = {}): Blob | Promise<Blob> {
    const { format = "pcm16", ...more } = options as RawAudioEncodeOptions & { format?: string };
    if (!["pcm16", "float32"].includes(format)) return this.#encodedBlob(format as AudioFormat, more);
    return new Blob([this.toWav(options as RawAudioOptions)], { type: "audio/wav" });
  }

  /**
   * Writes a sound file (Node and Deno), whole or not at all. Its ending says which: `.wav`, `.mp3`, `.opus`, `.ogg`,
   * `.flac`, `.aac`, `.m4a` or `.pcm`.
   * @param options `format` is of a WAV; `bitrate` and `tags` as for {@link encode}.
   * @throws EngineError as {@link encode}; `usage` for another ending, and in a page; `io`.
   */
  async save(path: string, options: RawAudioOptions & RawAudioEncodeOptions = {}): Promise<void> {
    const file = readString(path, "path");
    const { bitrate, tags, ...wav } = options;
    const more = { ...(bitrate === undefined ? {} : { bitrate }), ...(tags === undefined ? {} : { tags }) };
    if (/\.wav$/i.test(file) && bitrate === undefined) {
      const info = tags === undefined ? {} : { info: (await import("./encode/tags.ts")).infoOf(tags) };
      return await write_wav(file, this.sampling_rate, this.#interleaved(), {
        ...wav,
        ...info,
        channels: this.channels,
      });
    }
    const { audioFormatOf } = await import("./encode/formats.ts");
    const format = audioFormatOf(file);
    if (Object.keys(wav).length > 0)
      throw new EngineError("usage", "is for the samples of a WAV file", { where: Object.keys(wav)[0], actual: file });
    await writeBytes(file, await this.encode(format, more));
  }

  get #sizes(): { sampling_rate: number; channels: number } {
    return { sampling_rate: this.sampling_rate, channels: this.channels };
  }

  async #encodedBlob(format: AudioFormat, options: RawAudioEncodeOptions): Promise<Blob> {
    const { audioFormats } = await import("./encode/formats.ts");
    return new Blob([await this.encode(format, options)], { type: audioFormats[format].mime });
  }

  /** [samples, channels], as WAV files hold them. */
  #interleaved(): Float32Array<ArrayBuffer> {
    const { audio, channels } = this;
    const samples = audio.length / channels;
    return audio.map((_, i) => audio[(i % channels) * samples + Math.floor(i / channels)]);
  }
}
