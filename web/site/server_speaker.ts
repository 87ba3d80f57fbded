import { EngineError } from "../../engine/errors.ts";
import type { StreamOptions } from "../../speech/speak_options.ts";
import type { StreamedPiece } from "../../speech/speech.ts";
import type { LoadedModel } from "../../speech/worker/protocol.ts";
import { text } from "./text.ts";

/** What the page speaks with: a `BarkWorker` of its own, or a server. */
export interface PageSpeaker {
  readonly model: LoadedModel;
  list_voices(): string[];
  stream(text: string, options: StreamOptions): AsyncIterable<StreamedPiece>;
  dispose(): void;
}

/** Sound of `response_format: "pcm"`, by OpenAI's contract. */
const rate = 24000;

/** Options that a request has by the same names. */
const fields = ["temperature", "fine_temperature", "latency", "retries", "normalize", "loudness"] as const;

interface ServerVoice {
  readonly id: string;
  readonly source?: string;
}

type SpeechEvent =
  | { type: "speech.audio.delta"; audio: string }
  | ({ type: "speech.audio.segment" } & Pick<StreamedPiece, "text" | "start" | "end" | "source" | "voice" | "flags">)
  | { type: "error"; error: { message: string } };

/** A `bark serve`, or another server of OpenAI's speech route, asked for PCM in server-sent events. */
export class ServerSpeaker implements PageSpeaker {
  readonly model: LoadedModel;
  readonly #address: string;
  readonly #key: string;
  readonly #name: string;

  private constructor(address: string, key: string, name: string, voices: readonly string[]) {
    [this.#address, this.#key, this.#name] = [address, key, name];
    const adapter = text.serverAdapter(address);
    this.model = { voices, sampling_rate: rate, dtype: name, adapter, is_software: false, gpu_bytes: 0 };
  }

  /**
   * @param given `http://127.0.0.1:8880`, with or without `/v1`.
   * @throws EngineError `usage` for what is no address, `io` if nothing answers there or it refuses.
   */
  static async open(given: string, key: string, signal: AbortSignal): Promise<ServerSpeaker> {
    const address = given.trim().replace(/(\/v1)?\/*$/, "");
    if (!/^https?:\/\//.test(address) || !URL.canParse(address))
      throw new EngineError("usage", text.noAddress, { actual: given });
    const ask = async (path: string): Promise<unknown> =>
      await (await request(`${address}${path}`, { headers: headersOf(key), signal })).json();
    const { data } = (await ask("/v1/models")) as { data: { id: string }[] };
    const { voices } = (await ask("/v1/audio/voices")) as { voices: ServerVoice[] };
    const own = voices.filter(({ source }) => source !== "alias").map(({ id }) => id);
    return new ServerSpeaker(address, key, data[0].id, own);
  }

  list_voices(): string[] {
    return [...this.model.voices];
  }

  async *stream(input: string, options: StreamOptions): AsyncGenerator<StreamedPiece, void, undefined> {
    const { voice, seed, signal, semantic_max_new_tokens: tokens } = options;
    // It makes none up.
    if (typeof voice !== "string") throw new EngineError("usage", text.voiceOfServer);
    const began = performance.now();
    const body = {
      ...{ model: this.#name, input, voice, captions: true },
      ...{ response_format: "pcm", stream_format: "sse", semantic_max_new_tokens: tokens },
      ...Object.fromEntries(fields.map((name) => [name, options[name]])),
      // JSON has no integers of 64 bits; the page draws 32.
      ...(seed !== undefined && seed !== null && { seed: Number(seed) }),
    };
    const response = await request(`${this.#address}/v1/audio/speech`, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headersOf(this.#key) },
      body: JSON.stringify(body),
      signal: signal ?? null,
    });
    let [samples, at, piece] = [0, 0, 0];
    const shared = { voice, flags: [], attempts: 1, seed: BigInt(seed ?? 0), sampling_rate: rate };
    for await (const event of eventsOf(response)) {
      if (event.type === "error") throw new EngineError("io", event.error.message, { where: this.#address });
      const real_time_factor = (performance.now() - began) / 1000 / Math.max(samples / rate, 1e-3);
      const of = { ...shared, piece, pieces: piece + 1, real_time_factor };
      if (event.type === "speech.audio.delta") {
        const audio = samplesOf(event.audio);
        const start = samples / rate;
        samples += audio.length;
        // What it says is told when the piece is whole.
        yield { ...of, text: "", source: [at, at], start, end: samples / rate, audio, is_last: false };
      } else if (event.type === "speech.audio.segment") {
        const { text, source, start, end } = event;
        at = source[1];
        yield { ...of, text, source, start, end, flags: event.flags, audio: new Float32Array(0), is_last: true };
        piece++;
      }
    }
  }

  dispose(): void {
    // A server is nobody's to end; its requests end by their signals.
  }
}

function headersOf(key: string): Record<string, string> {
  return key === "" ? {} : { Authorization: `Bearer ${key}` };
}

/** @throws EngineError `io`. */
async function request(address: string, init: RequestInit): Promise<Response> {
  const where = new URL(address).origin;
  const response = await fetch(address, init).catch((error: unknown) => {
    if (init.signal?.aborted === true) throw error;
    throw new EngineError("io", text.noServer, { where, fix: text.startServer(location.origin) });
  });
  if (response.ok) return response;
  const answer = (await response.json().catch(() => undefined)) as { error?: { message?: string } } | undefined;
  throw new EngineError("io", answer?.error?.message ?? `HTTP ${response.status}`, { where });
}

/** Server-sent events of one line of data each. @throws EngineError `io` if they break off. */
async function* eventsOf(response: Response): AsyncGenerator<SpeechEvent, void, undefined> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let [left, isWhole] = ["", false];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const events = (left + value).split("\n\n");
      left = events.pop()!;
      for (const event of events) {
        const data = JSON.parse(event.replace(/^data: ?/, "")) as SpeechEvent | { type: "speech.audio.done" };
        if (data.type === "speech.audio.done") isWhole = true;
        else yield data;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  if (!isWhole) throw new EngineError("io", text.brokeOff);
}

/** 16 bits, little-endian, in base64. */
function samplesOf(base64: string): Float32Array<ArrayBuffer> {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length >> 1 }, (_, i) => view.getInt16(2 * i, true) / 32768);
}
