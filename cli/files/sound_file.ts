import path from "node:path";
import { open_encoder } from "../../audio/encode/encoder.ts";
import type { AudioTags } from "../../audio/encode/tags.ts";
import { defined } from "../../engine/check/defined.ts";
import { withoutSecrets } from "../../engine/errors.ts";
import { version } from "../process/version.ts";
import type { SayOptions } from "../say_options.ts";
import type { SampleSpool } from "./sample_spool.ts";

/** @throws EngineError `usage` for what the format cannot hold, `io` if its package is missing: both before the run. */
export async function checkSoundFile(
  { audioFormat, bitrate }: Pick<SayOptions, "audioFormat" | "bitrate">,
  sizes: { sampling_rate: number; channels: number },
): Promise<void> {
  await open_encoder(audioFormat, { ...sizes, ...defined({ bitrate }) });
}

/** The file's bytes, with how the sound was made: of a WAV part by part, since its length is known; else all at the end. */
export async function* soundFile(
  spool: SampleSpool,
  { audioFormat, format, bitrate }: Pick<SayOptions, "audioFormat" | "format" | "bitrate">,
  sizes: { sampling_rate: number; channels: number },
  tags: AudioTags,
): AsyncGenerator<Uint8Array, void, undefined> {
  const samples = spool.length / sizes.channels;
  const live = audioFormat === "wav";
  const encoder = await open_encoder(audioFormat, { ...sizes, tags, format, samples, live, ...defined({ bitrate }) });
  for await (const part of spool.parts()) yield await encoder.push(part);
  yield await encoder.finish();
}

/** How a sound was made. */
export async function tagsOf(
  text: string,
  { voice, seed, model, kwargs }: SayOptions,
  dtype: string,
): Promise<AudioTags> {
  return {
    text,
    ...(voice === undefined ? {} : { voice: named(voice) }),
    seed,
    checkpoint: named(model),
    settings: { ...kwargs, dtype },
    software: `bark-webgpu ${await version()}`,
  };
}

/** A path without its folders: a file that is given away should not tell how its maker's are called. */
export function named(nameOrPath: string): string {
  const isPath = path.isAbsolute(nameOrPath) || /^\.{1,2}[/\\]/.test(nameOrPath) || /\.npz$/i.test(nameOrPath);
  return isPath ? path.basename(nameOrPath) : withoutSecrets(nameOrPath);
}
