import {
  argumentsOf,
  isPlainObject,
  noneOr,
  readBoolean,
  reader,
  readInteger,
  readNumber,
  readOneOf,
  wrongArgument,
  type ReadersOf,
} from "../../engine/check/arguments.ts";
import { EngineError } from "../../engine/errors.ts";
import { audioFormatNames, type AudioFormat } from "./formats.ts";
import {
  join,
  optionalPackage,
  type AudioEncoderOptions,
  type AudioEncoderStream,
  type EncoderSettings,
} from "./stream.ts";
import type { AudioTags } from "./tags.ts";

export type { AudioEncoderOptions, AudioEncoderStream };

type Rates = readonly number[];
/** What a format can hold; no list: anything. */
interface Limits {
  readonly channels: number;
  readonly rates?: Rates;
  readonly bitrate?: number;
  readonly bitrates?: Rates;
}

const mp3Rates = [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000];
/** MPEG-1 knows 14 bit rates, and MPEG-2 (below 32 kHz) some others. */
const mp3Bitrates = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 192, 224, 256, 320];
const aacRates = [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000];

const limits: Readonly<Record<AudioFormat, Limits>> = {
  wav: { channels: 8 },
  pcm: { channels: 8 },
  mp3: { channels: 2, rates: mp3Rates, bitrate: 64, bitrates: mp3Bitrates },
  opus: { channels: 2, rates: [8000, 12000, 16000, 24000, 48000], bitrate: 32 },
  flac: { channels: 8 },
  aac: { channels: 2, rates: aacRates, bitrate: 64 },
  m4a: { channels: 2, rates: aacRates, bitrate: 64 },
};

const readFormat = readOneOf(...audioFormatNames);
const readOptions = argumentsOf(
  "open_encoder",
  {
    sampling_rate: readInteger(1, 2 ** 32 - 1),
    channels: noneOr(readInteger(1, 8)),
    format: noneOr(readOneOf("pcm16", "float32")),
    bitrate: noneOr(readNumber("kbit/s, from 6 to 512", (rate) => rate >= 6 && rate <= 512)),
    tags: noneOr(reader<AudioTags>("an object", isPlainObject)),
    live: noneOr(readBoolean),
    samples: noneOr(readInteger(1)),
  } satisfies ReadersOf<AudioEncoderOptions>,
  { required: ["sampling_rate"], usage: "give open_encoder(format, { sampling_rate, … })" },
);

/**
 * An encoder of a format. Those of compressed formats are npm packages, loaded here.
 * @throws EngineError `usage` for what the format cannot hold, `io` if a package is not installed.
 */
export async function open_encoder(name: AudioFormat, given: AudioEncoderOptions): Promise<AudioEncoderStream> {
  const format = readFormat(name, "format");
  const settings = checked(format, readOptions(given));
  const open = await openers[format]();
  return new CheckedEncoder(await open(settings), settings);
}

/** A whole sound as a file. @param samples [samples], or [channels * samples], channel after channel. */
export async function encode_audio(
  samples: Float32Array,
  format: AudioFormat,
  options: Omit<AudioEncoderOptions, "live" | "samples">,
): Promise<Uint8Array<ArrayBuffer>> {
  const encoder = await open_encoder(format, { ...options, live: false });
  const first = await encoder.push(samples);
  return join([first, await encoder.finish()]);
}

type Opener = (settings: EncoderSettings) => AudioEncoderStream | Promise<AudioEncoderStream>;

const openers: Readonly<Record<AudioFormat, () => Promise<Opener>>> = {
  wav: async () => (await import("./wav_encoder.ts")).openWav,
  pcm: async () => (await import("./wav_encoder.ts")).openPcm,
  mp3: async () => {
    const load = async () => await import("./mp3_encoder.ts");
    return (await optionalPackage("wasm-media-encoders", "mp3", load)).openMp3;
  },
  opus: containerOf("opus"),
  flac: containerOf("flac"),
  aac: containerOf("aac"),
  m4a: containerOf("m4a"),
};

function containerOf(format: "opus" | "flac" | "aac" | "m4a"): () => Promise<Opener> {
  return async () => {
    const load = async () => await import("./container_encoder.ts");
    const { openContainer } = await optionalPackage("mediabunny", format, load);
    return (settings) => openContainer(format, settings);
  };
}

function checked(name: AudioFormat, options: ReturnType<typeof readOptions>): EncoderSettings {
  const { sampling_rate, channels = 1, format = "pcm16", bitrate, tags = {}, live = true, samples } = options;
  const limit = limits[name];
  const fix = "convert it first: to_mono(audio, 24000)";
  if (channels > limit.channels) throw wrongArgument("channels", `at most ${limit.channels} in ${name}`, channels, fix);
  if (limit.rates?.includes(sampling_rate) === false)
    throw wrongArgument("sampling_rate", `one of ${limit.rates.join(", ")} Hz in ${name}`, sampling_rate, fix);
  if (bitrate !== undefined && limit.bitrate === undefined)
    throw wrongArgument("bitrate", `none: ${name} loses nothing`, bitrate);
  if (bitrate !== undefined && limit.bitrates?.includes(bitrate) === false)
    throw wrongArgument("bitrate", `one of ${limit.bitrates.join(", ")} kbit/s in ${name}`, bitrate);
  if (format !== "pcm16" && name !== "wav")
    throw wrongArgument("format", `none: it is of a wav, not of ${name}`, format);
  return { sampling_rate, channels, format, bitrate: bitrate ?? limit.bitrate ?? 0, tags, live, samples };
}

/** Holds what every encoder asks of its callers. */
class CheckedEncoder implements AudioEncoderStream {
  readonly #encoder: AudioEncoderStream;
  readonly #channels: number;
  readonly #isClamped: boolean;
  readonly #expected: number | undefined;
  #samples = 0;
  #isFinished = false;

  constructor(encoder: AudioEncoderStream, { channels, format, samples }: EncoderSettings) {
    this.#isClamped = format === "pcm16";
    this.#encoder = encoder;
    this.#channels = channels;
    this.#expected = samples === undefined ? undefined : samples * channels;
  }

  async push(samples: Float32Array): Promise<Uint8Array<ArrayBuffer>> {
    this.#requireOpen();
    if (samples.length % this.#channels !== 0)
      throw wrongArgument("samples", `a multiple of ${this.#channels} values`, samples.length);
    if (!samples.every(Number.isFinite))
      throw new EngineError("usage", "hold a value that is not finite", { where: "samples" });
    if (samples.length === 0) return new Uint8Array(0);
    this.#samples += samples.length;
    const clamped = (): Float32Array => samples.map((sample) => Math.max(-1, Math.min(1, sample)));
    return await this.#encoder.push(this.#isClamped ? clamped() : samples);
  }

  async finish(): Promise<Uint8Array<ArrayBuffer>> {
    this.#requireOpen();
    if (this.#samples === 0) throw new EngineError("usage", "there is no sound to encode", { where: "finish" });
    if (this.#expected !== undefined && this.#samples !== this.#expected)
      throw wrongArgument("samples", `${this.#samples}, as many as came`, this.#expected);
    this.#isFinished = true;
    return await this.#encoder.finish();
  }

  #requireOpen(): void {
    if (this.#isFinished) throw new EngineError("usage", "the file is finished", { where: "encoder" });
  }
}
