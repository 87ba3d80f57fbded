import {
  argumentsOf,
  isPlainObject,
  noneOr,
  reader,
  readInteger,
  readOneOf,
  readString,
  type ReadersOf,
} from "../engine/check/arguments.ts";
import { checkFinite, readArray, type ArrayInput } from "../engine/check/array_argument.ts";
import { EngineError } from "../engine/errors.ts";
import type { NdArray } from "../engine/ndarray.ts";
import { requireSamplingRate } from "./sampling_rate.ts";
import { getFileHost } from "../checkpoint/host.ts";

export interface WavOptions {
  /** `pcm16` (default) is clamped to ±1 and plays everywhere; `float32` holds the samples as they are. */
  format?: "pcm16" | "float32";
  /** Channels, whose samples are interleaved. Default 1. */
  channels?: number;
  /** Texts of the file's INFO list by their four letters, such as `INAM`, the title. */
  info?: Readonly<Record<string, string>>;
}

const readOptions = argumentsOf("the WAV file", {
  format: noneOr(readOneOf("pcm16", "float32")),
  channels: noneOr(readInteger(1, 2 ** 16 - 1)),
  info: noneOr(reader<Record<string, string>>("texts by ids of four letters", isInfo)),
} satisfies ReadersOf<WavOptions>);
const readRate = readInteger(1, 2 ** 32 - 1);
const readSamples = readArray([1, 2, 3], checkFinite);

/**
 * A RIFF/WAVE file. Samples are clamped to ±1 for pcm16; float32 has the 18-byte `fmt ` and the `fact` chunk of its
 * format; without them some programs warn.
 * @param sample_rate samples a second.
 * @param signal full scale ±1, interleaved by channel: [samples], or [1, samples] as `generate` answers.
 * @throws EngineError `usage` for a wrong rate, channel count or length, samples that are not finite, or a batch.
 */
export function encode_wav(sample_rate: number, signal: ArrayInput, given: WavOptions = {}): Uint8Array<ArrayBuffer> {
  const rate = readRate(sample_rate, "sample_rate");
  requireSamplingRate(signal, rate, "samples");
  const samples = oneSignal(readSamples(signal, "samples"));
  const { format = "pcm16", channels = 1, info } = readOptions(given);
  requireThat(samples.length % channels === 0, "samples", `a multiple of ${channels} samples`, samples.length);
  const width = format === "float32" ? 4 : 2;
  const header = wavHeader({ rate, format, channels, ...(info ? { info } : {}) }, samples.length * width);
  const bytes = new Uint8Array(header.length + samples.length * width);
  bytes.set(header);
  const view = new DataView(bytes.buffer, header.length);
  for (let i = 0; i < samples.length; i++)
    if (format === "float32") view.setFloat32(i * width, samples[i], true);
    else view.setInt16(i * width, toPcm16(samples[i]), true);
  return bytes;
}

/** The sizes in the header of a file that is written to a pipe before its length is known. */
export const unknownSize = 0xffffffff;

/** All that stands before the samples. @param dataBytes of the samples, or {@link unknownSize}. */
export function wavHeader(
  {
    rate,
    channels,
    format,
    info = {},
  }: { rate: number } & Required<Omit<WavOptions, "info">> & Pick<WavOptions, "info">,
  dataBytes: number,
): Uint8Array<ArrayBuffer> {
  const isFloat = format === "float32";
  const width = isFloat ? 4 : 2;
  const u16 = (value: number): number[] => [value & 255, value >> 8];
  const u32 = (value: number): number[] => [...u16(value & 0xffff), ...u16(value >>> 16)];
  const chunk = (id: string, body: readonly number[]): number[] => [
    ...new TextEncoder().encode(id),
    ...u32(body.length),
    ...body,
    ...(body.length % 2 === 0 ? [] : [0]), // Chunks begin on even bytes.
  ];
  const rates = [...u16(channels), ...u32(rate), ...u32(rate * channels * width), ...u16(channels * width)];
  const extension = isFloat ? u16(0) : [];
  const samples = dataBytes === unknownSize ? unknownSize : dataBytes / (channels * width);
  const texts = Object.entries(info).flatMap(([id, text]) => chunk(id, [...new TextEncoder().encode(text), 0]));
  const chunks = [
    ...chunk("fmt ", [...u16(isFloat ? 3 : 1), ...rates, ...u16(width * 8), ...extension]),
    ...(isFloat ? chunk("fact", u32(samples)) : []),
    ...(texts.length > 0 ? chunk("LIST", [...new TextEncoder().encode("INFO"), ...texts]) : []),
  ];
  const header = (size: number): Uint8Array<ArrayBuffer> =>
    Uint8Array.from([
      ...new TextEncoder().encode("RIFF"),
      ...u32(size),
      ...new TextEncoder().encode("WAVE"),
      ...chunks,
      ...new TextEncoder().encode("data"),
      ...u32(dataBytes),
    ]);
  if (dataBytes === unknownSize) return header(unknownSize);
  const size = chunks.length + 12 + dataBytes;
  requireThat(size + 8 < 2 ** 32, "samples", "less than 4 GiB", dataBytes);
  return header(size);
}

export function toPcm16(sample: number): number {
  return Math.round(Math.max(-1, Math.min(1, sample)) * 32767);
}

/**
 * Writes a WAV file (Node and Deno): to a temporary name first, so that no half-written file is left.
 * @param samples [samples], or [1, samples], of full scale ±1.
 * @throws EngineError `io` if the file cannot be written; `usage` in a browser or for more than one row of samples.
 */
export async function write_wav(
  path: string,
  sample_rate: number,
  samples: ArrayInput,
  options: WavOptions = {},
): Promise<void> {
  const file = readString(path, "path");
  const bytes = encode_wav(sample_rate, samples, options);
  await writeBytes(file, bytes);
}

/** Writes a sound file, whole or not at all. @throws EngineError `io`, and `usage` in a browser page. */
export async function writeBytes(file: string, bytes: Uint8Array): Promise<void> {
  const host = getFileHost();
  if (host.writeFile === undefined)
    throw new EngineError("usage", "a browser page cannot write files", {
      where: file,
      fix: "offer the bytes of encode_wav, or a RawAudio's toBlob(), as a download",
    });
  await host.writeFile(file, bytes);
}

function isInfo(value: unknown): boolean {
  return (
    isPlainObject(value) &&
    Object.entries(value).every(([id, text]) => /^[!-~]{4}$/.test(id) && typeof text === "string")
  );
}

function oneSignal(array: NdArray<Float32Array>): Float32Array {
  const signals = array.shape.slice(0, -1).reduce((product, extent) => product * extent, 1);
  requireThat(
    signals === 1,
    "samples",
    "one signal; write each row of a batch by itself",
    `[${array.shape.join(", ")}]`,
  );
  return array.data;
}

function requireThat(good: boolean, where: string, expected: string, actual: unknown): void {
  if (!good) throw new EngineError("usage", "cannot make a WAV file", { where, expected, actual });
}
