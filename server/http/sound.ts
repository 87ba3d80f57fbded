import { open_encoder } from "../../audio/encode/encoder.ts";
import { audioFormats } from "../../audio/encode/formats.ts";
import type { PreparedRequest, SpeechBackend, SpeechPart } from "../backend/backend.ts";
import type { ApiError } from "./errors.ts";
import type { responseFormats, SpeechFields } from "./schemas.ts";

export interface SoundOptions {
  readonly format: (typeof responseFormats)[number];
  /** kbit/s. */
  readonly bitrate: number | undefined;
  /** An event for each piece. */
  readonly captions: boolean;
}

export function soundOptions({ response_format, bitrate, captions }: SpeechFields): SoundOptions {
  return { format: response_format ?? "mp3", bitrate: bitrate ?? undefined, captions: captions === true };
}

/** What an answer says it is. */
export function mimeOf(format: SoundOptions["format"], rate: number): string {
  return format === "pcm" ? `audio/pcm;rate=${rate}` : audioFormats[format].mime;
}

/** Turns what is spoken into the bytes of an answer. */
export interface Sound {
  /** The next bytes; mostly some. */
  part(part: SpeechPart): Promise<Uint8Array>;
  end(): Promise<Uint8Array>;
  /** The last bytes where it fails; none: the connection is broken off. */
  failed?(error: ApiError): Uint8Array;
}

/** A sound file. @throws EngineError `usage` for what the format cannot hold. */
export async function openSound(
  { sampling_rate, channels }: Pick<SpeechBackend, "sampling_rate" | "channels">,
  { format, bitrate }: SoundOptions,
): Promise<Sound> {
  const encoder = await open_encoder(format, { sampling_rate, channels, ...(bitrate !== undefined && { bitrate }) });
  return {
    part: async ({ audio }) => await encoder.push(audio),
    end: async () => await encoder.finish(),
  };
}

/** Server-sent events of OpenAI's names, the bytes of the file in base64. @throws EngineError as {@link openSound}. */
export async function openEvents(
  backend: Pick<SpeechBackend, "sampling_rate" | "channels">,
  options: SoundOptions,
  { input_tokens }: Pick<PreparedRequest, "input_tokens">,
): Promise<Sound> {
  const file = await openSound(backend, options);
  let output_tokens = 0;
  let start: number | undefined;
  const delta = (bytes: Uint8Array): string =>
    bytes.length === 0 ? "" : event({ type: "speech.audio.delta", audio: Buffer.from(bytes).toString("base64") });
  return {
    part: async (part) => {
      let events = delta(await file.part(part));
      start ??= part.start;
      output_tokens += (part.tokens?.semantic ?? 0) + (part.tokens?.coarse ?? 0);
      if (!part.is_last) return bytesOf(events);
      const { text, end, source, voice, flags } = part;
      if (options.captions) events += event({ type: "speech.audio.segment", text, start, end, source, voice, flags });
      start = undefined;
      return bytesOf(events);
    },
    end: async () => {
      const total_tokens = input_tokens + output_tokens;
      const done = event({ type: "speech.audio.done", usage: { input_tokens, output_tokens, total_tokens } });
      return bytesOf(delta(await file.end()) + done);
    },
    failed: ({ body }) => bytesOf(event({ type: "error", ...body })),
  };
}

function event(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
