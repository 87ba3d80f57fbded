import type { HistoryPrompt } from "../../bark/voice/history_prompt.ts";
import type { TokenCounts } from "../../speech/speak.ts";
import type { StreamedPiece } from "../../speech/speech.ts";

/** What a client asks to be spoken; its names and values are checked, its voice is known. */
export interface SpeechRequest {
  readonly input: string;
  /** A preset's name, an uploaded voice, or null: the model makes one up. */
  readonly voice: string | HistoryPrompt | null;
  /** Undefined: drawn. */
  readonly seed: number | undefined;
  /** Keywords of `BarkTTS.stream`. */
  readonly options: SpeechOptions;
}

/** Options of a request that are those of `BarkTTS.stream`, by the same names. */
export interface SpeechOptions {
  readonly language?: string;
  readonly normalize?: "none" | "basic";
  readonly split?: "auto" | "none";
  readonly latency?: "exact" | "low";
  readonly retries?: number;
  readonly loudness?: number;
  readonly temperature?: number | null;
  readonly semantic_temperature?: number;
  readonly coarse_temperature?: number;
  readonly fine_temperature?: number | null;
  readonly do_sample?: boolean;
  readonly top_k?: number;
  readonly top_p?: number;
  readonly min_eos_p?: number;
  readonly semantic_max_new_tokens?: number;
}

/** A part of the speech as it is given out, with the last part of a piece the tokens that its run made. */
export interface SpeechPart extends StreamedPiece {
  readonly tokens: TokenCounts | undefined;
}

/** A request that can be spoken: what could be refused was refused. */
export interface PreparedRequest {
  readonly seed: bigint;
  /** Ids of the tokenizer that the text is. */
  readonly input_tokens: number;
  /** Letters and digits of its text, by which its work is estimated. */
  readonly letters: number;
  /** What of the text is lost or has no effect, one line each. */
  readonly notices: readonly string[];
  /**
   * Speaks. Nothing is computed before it is asked for; `signal`, which `prepare` was given, stops it at the next readback.
   * @param client whose turn it is to use the device: clients take turns.
   */
  speak(client: string): AsyncGenerator<SpeechPart, void, undefined>;
}

/** Where speech comes from: the GPU of this machine, or whatever else can speak, such as a farm of workers. */
export interface SpeechBackend {
  /** The checkpoint's name. */
  readonly model: string;
  readonly sampling_rate: number;
  readonly channels: number;
  /** Names of the voices that come with the checkpoint. */
  readonly voices: readonly string[];
  /** @throws EngineError `usage`, `bad-input` for what cannot be spoken. */
  prepare(request: SpeechRequest, signal: AbortSignal): Promise<PreparedRequest>;
  /** A voice from the bytes of an `.npz`. @throws EngineError `bad-input`. */
  readVoice(npz: Uint8Array): Promise<HistoryPrompt>;
  /**
   * Whether a request is spoken by other machines: it does not wait for those that are spoken here, nor they for it, and how
   * long it waits for its first sound is the backend's affair. Default: none is.
   */
  isElsewhere?(request: SpeechRequest): boolean;
  /** Bytes on the GPU now, if there is one here. */
  gpuBytes?(): number;
  /** Ends what goes on behind requests that have ended. */
  close?(): Promise<void>;
}
