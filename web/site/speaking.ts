import type { VoicePreset } from "../../bark/voice/voices.ts";
import type { SpeechProgress } from "../../speech/speak_text.ts";
import type { SpeechPiece, StreamedPiece } from "../../speech/speech.ts";
import type { Player } from "../player/player.ts";
import { Said } from "../said.ts";
import type { PageSpeaker } from "./server_speaker.ts";
import { streamOptions, type SettingValues } from "./settings.ts";
import type { Take } from "./take.ts";

export interface SpeakingListener {
  readonly player: Player;
  /** The model is loaded, and its sound comes. */
  readonly begun: () => void;
  readonly progress: (progress: SpeechProgress) => void;
  /** @param share of the text's letters that are spoken. */
  readonly part: (part: StreamedPiece, captions: readonly SpeechPiece[], share: number) => void;
}

/** What {@link Speaking} makes of a take; the page knows the rest. */
export interface SpokenTake extends Omit<Take, "number" | "voice" | "model"> {
  readonly milliseconds: number;
}

/** A text that is being spoken, and played meanwhile. */
export class Speaking {
  readonly #text: string;
  readonly #settings: SettingValues;
  readonly #listener: SpeakingListener;
  readonly #stop = new AbortController();
  readonly #captions: SpeechPiece[] = [];
  readonly #said: Said;
  #last: StreamedPiece | undefined;
  /** The piece whose caption was added last. */
  #captioned: number | undefined;
  #npz: Uint8Array<ArrayBuffer> | undefined;
  /** What there was when it was stopped: the player may play something else by the time the worker answers. */
  #stopped: Sound | undefined;

  constructor(whole: string, settings: SettingValues, listener: SpeakingListener) {
    [this.#text, this.#settings, this.#listener] = [whole, settings, listener];
    this.#said = new Said(whole);
    listener.player.begin();
  }

  stop(): void {
    this.#stopped = soundOf(this.#listener.player);
    this.#stop.abort();
  }

  /**
   * @returns what was spoken, also if it was stopped; undefined if nothing was.
   * @throws EngineError as `BarkTTS.stream`.
   */
  async speak(bark: PageSpeaker, voice: VoicePreset | null): Promise<SpokenTake | undefined> {
    const { player, begun, progress } = this.#listener;
    const { signal } = this.#stop;
    if (signal.aborted) return undefined;
    player.begin(bark.model.sampling_rate);
    begun();
    const began = performance.now();
    const options = { ...streamOptions(this.#settings), voice, save_voice: true, signal };
    try {
      for await (const part of bark.stream(this.#text, {
        ...options,
        on_progress: (event) => {
          if (!signal.aborted) progress(event);
        },
      })) {
        if (signal.aborted) break;
        this.#take(part);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    if (!signal.aborted) player.end();
    return this.#made(performance.now() - began);
  }

  #take(part: StreamedPiece): void {
    const { real_time_factor } = part;
    const { left, share } = this.#said.take(part);
    this.#listener.player.push(part.audio, { real_time_factor, left });
    this.#addCaption(part);
    this.#last = part;
    this.#npz ??= part.voice_npz;
    this.#listener.part(part, this.#captions, share);
  }

  /** A piece that comes in parts has one caption, which grows. */
  #addCaption(part: StreamedPiece): void {
    const { text, source, start, end, voice, flags, attempts, seed, changes, words, words_are } = part;
    if (text === "") return;
    const isSame = this.#captioned === part.piece;
    this.#captioned = part.piece;
    const caption = { text, source, start: isSame ? this.#captions.at(-1)!.start : start, end };
    this.#captions.splice(isSame ? -1 : this.#captions.length, isSame ? 1 : 0, {
      ...caption,
      ...{ voice, flags, attempts, seed, ...(changes && { changes }) },
      ...(words && words_are && { words, words_are }),
    });
  }

  #made(milliseconds: number): SpokenTake | undefined {
    if (this.#last === undefined) return undefined;
    return {
      text: this.#text,
      settings: this.#settings,
      seed: this.#settings["seed"],
      sampling_rate: this.#last.sampling_rate,
      captions: this.#captions,
      ...(this.#stopped ?? soundOf(this.#listener.player)),
      npz: this.#npz,
      isWhole: this.#stopped === undefined,
      milliseconds,
    };
  }
}

type Sound = Pick<Take, "wav" | "seconds">;

function soundOf(player: Player): Sound {
  return { wav: player.toBlob(), seconds: player.duration };
}
