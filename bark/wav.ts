import { EngineError } from "../engine/errors.ts";
import type { NdArray } from "../engine/ndarray.ts";
import { getPlatform } from "../engine/platform.ts";

export interface WavOptions {
  /** `pcm16` (default) is clamped to ±1 and plays everywhere; `float32` holds the samples as they are. */
  format?: "pcm16" | "float32";
  /** Channels, whose samples are interleaved. Default 1. */
  channels?: number;
}

/**
 * A RIFF/WAVE file. Samples are clamped to ±1 for pcm16 and NaN becomes silence; float32 has the 18-byte `fmt ` and the
 * `fact` chunk that its format asks for, without which some programs warn.
 * @param sample_rate samples a second. @param samples values of full scale ±1, interleaved by channel.
 * @throws EngineError `usage` for a wrong rate, channel count or length.
 */
export function encode_wav(
  sample_rate: number,
  samples: ArrayLike<number>,
  { format = "pcm16", channels = 1 }: WavOptions = {},
): Uint8Array<ArrayBuffer> {
  const isRate = Number.isInteger(sample_rate) && sample_rate > 0 && sample_rate < 2 ** 32;
  requireThat(isRate, "sample_rate", "an integer from 1 to 2^32 - 1", sample_rate);
  requireThat(Number.isInteger(channels) && channels > 0, "channels", "an integer above 0", channels);
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
  u32(sample_rate);
  u32(sample_rate * channels * width);
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
  if (Number.isNaN(sample)) return 0;
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
  samples: NdArray | ArrayLike<number>,
  options: WavOptions = {},
): Promise<void> {
  const bytes = encode_wav(sample_rate, "shape" in samples ? oneSignal(samples) : samples, options);
  const platform = getPlatform();
  if (platform.writeFile === undefined)
    throw new EngineError("usage", "a browser page cannot write files", {
      where: path,
      fix: "use encode_wav and offer its bytes as a download",
    });
  await platform.writeFile(path, bytes);
}

function oneSignal(array: NdArray): ArrayLike<number> {
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
