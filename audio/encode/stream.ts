import { EngineError } from "../../engine/errors.ts";
import type { AudioTags } from "./tags.ts";

export interface AudioEncoderOptions {
  /** Samples a second. */
  sampling_rate: number;
  /** 1 (default) or 2; wav, pcm and flac take up to 8. */
  channels?: number;
  /** Of the samples of a WAV: `pcm16` (default), clamped to ±1, or `float32`, as they are. */
  format?: "pcm16" | "float32";
  /** kbit/s of a lossy format. Defaults: mp3 64, opus 32, aac and m4a 64. */
  bitrate?: number;
  tags?: AudioTags;
  /**
   * Whether bytes are wanted as soon as they exist (default), each after the last, for a pipe or an answer over HTTP. The
   * header of WAV and FLAC then does not know how long the sound is, and an m4a is in fragments. Else all comes at the end.
   */
  live?: boolean;
  /** Of each channel, all that will come, where that is known: the header of a live WAV or FLAC then tells it. */
  samples?: number;
}

/** Makes a sound file of samples that come bit by bit. */
export interface AudioEncoderStream {
  /** @param samples full scale ±1, clamped: [samples], or [channels * samples], channel after channel. @returns the next bytes. */
  push(samples: Float32Array): Promise<Uint8Array<ArrayBuffer>>;
  /** @returns the last bytes of the file. @throws EngineError `usage` if there was no sample. */
  finish(): Promise<Uint8Array<ArrayBuffer>>;
}

/** What an encoder is made from. */
export interface EncoderSettings extends Required<Omit<AudioEncoderOptions, "bitrate" | "samples">> {
  /** kbit/s; 0 for a format without loss. */
  readonly bitrate: number;
  readonly samples: number | undefined;
}

/** Rows of samples, one for each channel, that lie one after another. */
export function rowsOf(samples: Float32Array, channels: number): Float32Array[] {
  const length = samples.length / channels;
  return Array.from({ length: channels }, (_, row) => samples.subarray(row * length, (row + 1) * length));
}

export function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** What `load` imports. @throws EngineError `io` naming the package and the command that installs it. */
export async function optionalPackage<T>(name: string, what: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    throw new EngineError("io", `${what} needs an npm package that cannot be loaded`, {
      where: name,
      fix: `run: npm install ${name}`,
      cause,
    });
  }
}
