import { encode_json, encode_srt, encode_vtt } from "../../audio/captions.ts";
import type { AudioFormat } from "../../audio/encode/formats.ts";
import type { AudioTags } from "../../audio/encode/tags.ts";
import type { SpeechPiece } from "../../speech/speech.ts";
import type { SettingValues } from "./settings.ts";

/** What was spoken once: its sound, and all that makes it again. */
export interface Take {
  readonly number: number;
  readonly text: string;
  readonly model: string;
  /** As it is chosen in the page; empty: none. */
  readonly voice: string;
  readonly settings: SettingValues;
  readonly seed: string;
  readonly sampling_rate: number;
  readonly captions: readonly SpeechPiece[];
  /** A WAV file of 16 bits, which the browser keeps outside of the page's heap. */
  readonly wav: Blob;
  readonly seconds: number;
  /** The tokens of its first piece as a voice, if it was spoken to its end. */
  readonly npz: Uint8Array<ArrayBuffer> | undefined;
  readonly isWhole: boolean;
}

const wavHeaderBytes = 44;
/** Ten seconds: an hour in one array would be 345 MB. */
const secondsAtOnce = 10;

/** The sound of a take, in parts. */
export async function* samplesOf({ wav, sampling_rate }: Take): AsyncGenerator<Float32Array<ArrayBuffer>> {
  const step = secondsAtOnce * sampling_rate * 2;
  for (let at = wavHeaderBytes; at < wav.size; at += step) {
    const pcm = new Int16Array(await wav.slice(at, Math.min(wav.size, at + step)).arrayBuffer());
    yield Float32Array.from(pcm, (sample) => sample / 32767);
  }
}

export const downloadNames = ["wav", "mp3", "opus", "srt", "vtt", "json", "npz"] as const;
export type DownloadName = (typeof downloadNames)[number];

/** A take as a file. @throws EngineError `usage` where this browser has no encoder of the format. */
export async function fileOf(take: Take, name: DownloadName): Promise<Blob> {
  if (name === "wav") return take.wav;
  if (name === "npz") return new Blob([take.npz!], { type: "application/zip" });
  if (name === "srt") return new Blob([encode_srt(take.captions)], { type: "application/x-subrip" });
  if (name === "vtt") return new Blob([encode_vtt(take.captions)], { type: "text/vtt" });
  // A seed beyond 2^53 is no number of JSON.
  const captions = take.captions.map((caption) => ({ ...caption, seed: String(caption.seed) }));
  if (name === "json") return new Blob([encode_json(captions)], { type: "application/json" });
  return await encoded(take, name);
}

/** How the sound was made, so that it can be made again. */
function tagsOf({ text, voice, seed, model, settings }: Take): AudioTags {
  const chosen = Object.entries(settings).filter(([name, value]) => value !== "" && name !== "seed");
  const run = { text, ...(voice === "" ? {} : { voice }), seed: BigInt(seed), checkpoint: model };
  return { ...run, settings: Object.fromEntries(chosen), software: "bark-webgpu" };
}

async function encoded(take: Take, format: AudioFormat): Promise<Blob> {
  const { open_encoder } = await import("../../audio/encode/encoder.ts");
  const { audioFormats } = await import("../../audio/encode/formats.ts");
  const encoder = await open_encoder(format, { sampling_rate: take.sampling_rate, live: false, tags: tagsOf(take) });
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const samples of samplesOf(take)) parts.push(await encoder.push(samples));
  parts.push(await encoder.finish());
  return new Blob(parts, { type: audioFormats[format].mime });
}
