import { argumentsOf, noneOr, readInteger, readOneOf, readString, type ReadersOf } from "../engine/check/arguments.ts";
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
}

const readOptions = argumentsOf("the WAV file", {
  format: noneOr(readOneOf("pcm16", "float32")),
  channels: noneOr(readInteger(1, 2 ** 16 - 1)),
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
  const { format = "pcm16", channels = 1 } = readOptions(given);
  requireThat(samples.length % channels === 0, "samples", `a multiple of ${channels} samples`, samples.length);
  const isFloat = format === "float32";
  const width = isFloat ? 4 : 2;
  const dataBytes = samples.length * width;
  const headerBytes = isFloat ? 58 : 44;
  requireThat(headerBytes + dataBytes < 2 ** 32, "samples", "less than 4 GiB", dataBytes);
  const bytes = new Uint8Array(headerBytes + dataBytes);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const text = (value: string): void => {
    for (const letter of value) bytes[at++] = letter.charCodeAt(0);
  };
  const u16 = (value: number): void => {
    view.setUint16(at, value, true);
    at += 2;
  };
  const u32 = (value: number): void => {
    view.setUint32(at, value, true);
    at += 4;
  };
  text("RIFF");
  u32(bytes.length - 8);
  text("WAVEfmt ");
  u32(isFloat ? 18 : 16);
  u16(isFloat ? 3 : 1);
  u16(channels);
  u32(rate);
  u32(rate * channels * width);
  u16(channels * width);
  u16(width * 8);
  if (isFloat) {
    u16(0); // No extension follows.
    text("fact");
    u32(4);
    u32(samples.length / channels);
  }
  text("data");
  u32(dataBytes);
  for (let i = 0; i < samples.length; i++, at += width)
    if (isFloat) view.setFloat32(at, samples[i], true);
    else view.setInt16(at, toPcm16(samples[i]), true);
  return bytes;
}

function toPcm16(sample: number): number {
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
  const host = getFileHost();
  if (host.writeFile === undefined)
    throw new EngineError("usage", "a browser page cannot write files", {
      where: file,
      fix: "offer the bytes of encode_wav, or a RawAudio's toBlob(), as a download",
    });
  await host.writeFile(file, bytes);
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
