import path from "node:path";
import { open_encoder } from "../../audio/encode/encoder.ts";
import { infoOf, type AudioTags } from "../../audio/encode/tags.ts";
import type { RawAudio } from "../../audio/raw_audio.ts";
import { withoutSecrets } from "../../engine/errors.ts";
import { version } from "../process/version.ts";
import type { SayOptions } from "../say_options.ts";

/** @throws EngineError `usage` for what the format cannot hold, `io` if its package is missing: both before the run. */
export async function checkSoundFile(
  { audioFormat, bitrate }: Pick<SayOptions, "audioFormat" | "bitrate">,
  sizes: { sampling_rate: number; channels: number },
): Promise<void> {
  await open_encoder(audioFormat, { ...sizes, ...(bitrate === undefined ? {} : { bitrate }) });
}

/** The file's bytes, with how the sound was made. */
export async function soundFile(
  sound: RawAudio,
  text: string,
  options: SayOptions,
  dtype: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const { audioFormat, format, bitrate, voice, seed, model, kwargs } = options;
  const tags: AudioTags = {
    text,
    ...(voice === undefined ? {} : { voice: named(voice) }),
    seed,
    checkpoint: named(model),
    settings: { ...kwargs, dtype },
    software: `bark-webgpu ${await version()}`,
  };
  if (audioFormat === "wav") return new Uint8Array(sound.toWav({ format, info: infoOf(tags) }));
  return await sound.encode(audioFormat, { tags, ...(bitrate === undefined ? {} : { bitrate }) });
}

/** A path without its folders: a file that is given away should not tell how its maker's are called. */
export function named(nameOrPath: string): string {
  const isPath = path.isAbsolute(nameOrPath) || /^\.{1,2}[/\\]/.test(nameOrPath) || /\.npz$/i.test(nameOrPath);
  return isPath ? path.basename(nameOrPath) : withoutSecrets(nameOrPath);
}
