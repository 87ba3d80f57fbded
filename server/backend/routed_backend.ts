import { EngineError } from "../../engine/errors.ts";
import { timed } from "../../speech/speech.ts";
import type { Farm } from "../queue/farm.ts";
import type { Kind } from "../queue/kind.ts";
import { speakByFarm, type FarmVoice } from "../queue/speak_text.ts";
import type { FarmStore } from "../queue/stores/open.ts";
import { ApiError } from "../http/errors.ts";
import type { PreparedRequest, SpeechBackend, SpeechPart, SpeechRequest } from "./backend.ts";
import { speechArgumentsOf, type LocalBackend, type Speaker } from "./local_backend.ts";

/** A farm that speaks the long texts of a server. */
export interface LongTexts {
  readonly farm: Farm;
  readonly store: FarmStore;
  /** Of the model that the server speaks short texts with: its workers have the same. */
  readonly kind: Kind;
  /** Characters of the shortest text that is one. Default 1000, about a minute. */
  readonly from?: number;
}

/** About a minute: below it, the way through the farm takes longer than it saves. */
export const usualFrom = 1000;
/** Seconds after which a client may ask again whom the farm did not serve. */
const later = 60;
/** Milliseconds in which texts that nobody waits for are taken out of the farm when the server ends. */
const patienceAtEnd = 3000;

/** Long texts by a farm, all others by the GPU of this machine. */
export class RoutedBackend implements SpeechBackend {
  readonly #local: LocalBackend;
  readonly #voice: FarmVoice;
  readonly #from: number;
  readonly #patience: number;
  /** Texts that are being taken out of the farm. */
  readonly #leaving = new Set<Promise<unknown>>();

  /** @param patience seconds that a listener waits for the next sound of the farm. */
  constructor(local: LocalBackend, { model, processor }: Speaker, long: LongTexts, patience: number) {
    const { farm, store, kind, from = usualFrom } = long;
    this.#local = local;
    this.#voice = { farm, store, kind, generation: model.generation_config, processor };
    this.#from = from;
    this.#patience = patience;
  }

  get model(): string {
    return this.#local.model;
  }

  get sampling_rate(): number {
    return this.#local.sampling_rate;
  }

  get channels(): number {
    return this.#local.channels;
  }

  get voices(): readonly string[] {
    return this.#local.voices;
  }

  gpuBytes(): number {
    return this.#local.gpuBytes();
  }

  async readVoice(npz: Uint8Array): ReturnType<LocalBackend["readVoice"]> {
    return await this.#local.readVoice(npz);
  }

  /** Long, and of pieces that do not depend on each other and are given out whole. */
  isElsewhere({ input, options: { split, latency, loudness } }: SpeechRequest): boolean {
    const isOfPieces = split !== "none" && latency !== "low" && loudness === undefined;
    return input.length >= this.#from && isOfPieces && this.channels === 1;
  }

  async prepare(request: SpeechRequest, signal: AbortSignal): Promise<PreparedRequest> {
    // Also of a text for the farm: what cannot be spoken is refused by the same checks, before anybody waits for it.
    const prepared = await this.#local.prepare(request, signal);
    if (!this.isElsewhere(request)) return prepared;
    return { ...prepared, speak: () => this.#speak(request, prepared.seed, signal) };
  }

  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, patienceAtEnd)));
    await Promise.race([Promise.allSettled(this.#leaving), late]);
    clearTimeout(timer);
  }

  async *#speak(
    request: SpeechRequest,
    seed: bigint,
    signal: AbortSignal,
  ): AsyncGenerator<SpeechPart, void, undefined> {
    const stop = new AbortController();
    const { kwargs, ...speech } = speechArgumentsOf(request);
    const parts = timed(
      speakByFarm(this.#voice, request.input, {
        ...speech,
        ...{ seed, voice: request.voice, kwargs: { ...kwargs, signal: stop.signal } },
        // Told by `prepare`; what comes later is of single pieces, whose flags say it.
        notice: () => undefined,
      }),
    );
    try {
      for (;;) {
        const { done, value } = await this.#within(parts.next(), signal);
        if (done === true) return;
        yield value;
      }
    } catch (error) {
      throw answerOf(error);
    } finally {
      stop.abort(signal.reason);
      // A Redis that is gone would keep the client's place until it is back.
      const left = parts.return().catch(() => undefined);
      this.#leaving.add(left);
      void left.then(() => this.#leaving.delete(left));
    }
  }

  /** What comes, unless the client leaves or it takes too long: a farm without workers is silent and no error. */
  async #within<T>(coming: Promise<T>, signal: AbortSignal): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    let stop = (): void => undefined;
    const end = new Promise<never>((_, reject) => {
      stop = () => reject(new EngineError("aborted", "the request was stopped", { cause: signal.reason }));
      timer = setTimeout(() => reject(silent(this.#patience)), this.#patience * 1000);
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    });
    try {
      return await Promise.race([coming, end]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
  }
}

function silent(seconds: number): ApiError {
  return refusal(`No worker of the farm spoke for ${seconds} s; try again later.`, "farm_silent");
}

/** A Redis or store that fails is no fault of the request, nor of this machine. */
function answerOf(error: unknown): unknown {
  if (!(error instanceof EngineError) || error.code !== "io") return error;
  return refusal("The farm that speaks long texts failed; try again later.", "farm_failed", error);
}

/** Clients that try again at once, by themselves, would wait as long again. */
function refusal(message: string, code: string, cause?: unknown): ApiError {
  const headers = { "Retry-After": String(later), "x-should-retry": "false" };
  return new ApiError(503, message, { code, headers, cause });
}
