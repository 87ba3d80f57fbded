import {
  AdtsOutputFormat,
  AppendOnlyStreamTarget,
  AudioSample,
  AudioSampleSource,
  BufferTarget,
  canEncodeAudio,
  FlacOutputFormat,
  Mp4OutputFormat,
  OggOutputFormat,
  Output,
} from "mediabunny";
import { EngineError } from "../../engine/errors.ts";
import { join, optionalPackage, type AudioEncoderStream, type EncoderSettings } from "./stream.ts";
import { withoutSerial, withoutTimes, withTotal } from "./reproducible.ts";
import { containerTags, id3Of } from "./tags.ts";

type Container = "opus" | "flac" | "aac" | "m4a";

/** Seconds of sound after which a live Ogg page ends, full or not. */
const livePage = 0.25;

const same = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => bytes;

/**
 * The codec within, the package that encodes it where the runtime does not, the tag that names the program, and what makes
 * the bytes those of every run.
 */
const containers = {
  opus: { codec: "opus", encoder: "@evan/opus", software: "ENCODER", reproducible: withoutSerial },
  flac: { codec: "flac", encoder: "@mediabunny/flac-encoder", software: "ENCODER", reproducible: same },
  // mediabunny writes an ID3 tag that ends within a letter where one takes several bytes.
  aac: { codec: "aac", encoder: "@mediabunny/aac-encoder", software: undefined, reproducible: same },
  m4a: { codec: "aac", encoder: "@mediabunny/aac-encoder", software: "©too", reproducible: withoutTimes },
} as const;

function outputFormat(format: Container, live: boolean) {
  if (format === "opus") return new OggOutputFormat(live ? { maximumPageDuration: livePage } : {});
  if (format === "flac") return new FlacOutputFormat({ appendOnly: live });
  if (format === "aac") return new AdtsOutputFormat();
  return new Mp4OutputFormat({ fastStart: live ? "fragmented" : "in-memory" });
}

/** Opus in Ogg, FLAC, and AAC in ADTS or MP4, by mediabunny. */
export async function openContainer(format: Container, settings: EncoderSettings): Promise<AudioEncoderStream> {
  const { sampling_rate: sampleRate, channels: numberOfChannels, bitrate, tags, live, samples: all } = settings;
  const { codec, encoder, software, reproducible } = containers[format];
  await prepareEncoder(format, { numberOfChannels, sampleRate, bitrate: bitrate * 1000 });

  const parts: Uint8Array<ArrayBuffer>[] = [];
  const writable = new WritableStream<Uint8Array>({ write: (bytes) => void parts.push(bytes.slice()) });
  const whole = new BufferTarget();
  const output = new Output({
    format: outputFormat(format, live),
    target: live ? new AppendOnlyStreamTarget(writable) : whole,
  });
  const source = new AudioSampleSource({
    codec,
    ...(bitrate > 0 ? { bitrate: bitrate * 1000 } : {}),
    // FLAC would otherwise keep 24 bits of what the model never computed that exactly.
    ...(codec === "flac" ? { transform: { sampleFormat: "s16" as const } } : {}),
  });
  output.addAudioTrack(source);
  const { software: program, ...texts } = containerTags(tags);
  if (software === undefined) parts.push(id3Of(tags));
  else output.setMetadataTags({ ...texts, ...(program === undefined ? {} : { raw: { [software]: program } }) });
  await output.start();

  let isNew = format === "flac" && live && all !== undefined;
  const take = (): Uint8Array<ArrayBuffer> => {
    const bytes = join(parts.splice(0).map(reproducible));
    if (isNew && bytes.length > 0) isNew = !withTotal(bytes, all!);
    return bytes;
  };
  let position = 0;
  return {
    push: async (samples) => {
      const timestamp = position / sampleRate;
      position += samples.length / numberOfChannels;
      const data = samples as Float32Array<ArrayBuffer>;
      using sample = new AudioSample({ data, format: "f32-planar", numberOfChannels, sampleRate, timestamp });
      await source.add(sample).catch((cause: unknown) => {
        throw new EngineError("io", (cause as Error).message, { where: encoder, cause });
      });
      return live ? take() : new Uint8Array(0);
    },
    finish: async () => {
      await output.finalize();
      if (!live) parts.push(new Uint8Array(whole.buffer!));
      return take();
    },
  };
}

/** Gives mediabunny an encoder of the codec where the runtime has none: pages have WebCodecs, Node and Deno do not. */
async function prepareEncoder(
  format: Container,
  options: { numberOfChannels: number; sampleRate: number; bitrate: number },
): Promise<void> {
  const { codec, encoder } = containers[format];
  const { bitrate, ...sizes } = options;
  const canEncode = () => canEncodeAudio(codec, bitrate > 0 ? options : sizes);
  if (await canEncode()) return;
  const register = {
    opus: async () => (await import("./opus_encoder.ts")).registerOpusEncoder(),
    flac: async () => (await import("@mediabunny/flac-encoder")).registerFlacEncoder(),
    aac: async () => (await import("@mediabunny/aac-encoder")).registerAacEncoder(),
  };
  await optionalPackage(encoder, format, register[codec]);
  if (!(await canEncode()))
    throw new EngineError("usage", `${format} cannot hold this sound`, {
      where: "sampling_rate",
      actual: `${sizes.sampleRate} Hz, ${sizes.numberOfChannels} channels`,
      fix: "convert it first: to_mono(audio, 24000)",
    });
}
