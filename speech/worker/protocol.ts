/** What a page and `bark-webgpu/worker` send each other. Every call has an id; whatever belongs to it carries the same. */
import type { ProgressInfo } from "../../bark/load/load_options.ts";
import type { FileAddresses } from "../../checkpoint/open_addresses.ts";
import { EngineError, type ErrorCode } from "../../engine/errors.ts";
import type { BarkTTSOptions } from "../bark_tts.ts";
import type { SpeechInput } from "../plan.ts";
import type { SpeakOptions, StreamOptions } from "../speak_options.ts";
import type { SpeechProgress } from "../speak_text.ts";
import type { SpeechPiece, StreamedPiece } from "../speech.ts";

/** What the page hears while a call runs; the functions stay in the page. */
export interface Listeners {
  progress_callback?: ((info: ProgressInfo) => void) | null;
  /** While a model is loaded there is no piece: both numbers are 0. */
  on_progress?: ((progress: SpeechProgress) => void) | null;
  onNotice?: ((line: string) => void) | null;
}

/** Options of loading that can be sent. */
export type WorkerLoadOptions = Omit<BarkTTSOptions, keyof Listeners | "signal" | "gpu">;
/** Options of speaking that can be sent. */
export type WorkerSpeakOptions = Omit<SpeakOptions, keyof Listeners | "signal">;
export type WorkerStreamOptions = Omit<StreamOptions, keyof Listeners | "signal">;

/** Files of a checkpoint one by one: their addresses, or what a person chose in a page. */
export interface CheckpointFiles {
  /** For errors. */
  readonly name: string;
  readonly files: FileAddresses;
}

/** A hub id, an absolute address, or files. */
export type WorkerModel = string | CheckpointFiles;

export type WorkerRequest =
  | { id: number; kind: "load"; model: WorkerModel; options: WorkerLoadOptions }
  | { id: number; kind: "generate"; text: SpeechInput; options: WorkerSpeakOptions }
  /** Begins a stream. Without a text: one that is still being written, which the worker asks for by `pull`. */
  | { id: number; kind: "stream"; text: SpeechInput | null; options: WorkerStreamOptions }
  /** Asks a stream for its next part: `chunk`, `done` or `error`. Nothing is computed before. */
  | { id: number; kind: "next" }
  /** Answers a `pull`. Null: a flush; without a text: its end. */
  | { id: number; kind: "push"; text?: string | null }
  /** Ends the call of this id. Who sends it waits for no answer. */
  | { id: number; kind: "abort" };

/** A Speech, whose samples are transferred. */
export interface SentAudio {
  readonly audio: Float32Array<ArrayBuffer>;
  readonly dims: readonly number[];
  readonly sampling_rate: number;
  readonly captions: readonly SpeechPiece[];
}

/** What a page knows of the model in its worker. */
export interface LoadedModel {
  readonly voices: readonly string[];
  readonly sampling_rate: number;
  readonly dtype: string;
  readonly adapter: string;
  /** Whether the adapter computes on the processor. */
  readonly is_software: boolean;
  /** Bytes of the weights and whatever else lies on the GPU after loading. */
  readonly gpu_bytes: number;
}

type Told<T extends keyof Listeners = keyof Listeners> = {
  [K in T]: { listener: K; value: Parameters<NonNullable<Listeners[K]>>[0] };
}[T];

/** The answer that a call, or `next` of a stream, waits for. */
export type WorkerResult =
  | { event: "done"; speech?: SentAudio; model?: LoadedModel }
  /** Its samples are transferred. */
  | { event: "chunk"; part: StreamedPiece };

export type WorkerAnswer = { id: number } & (
  ({ event: "progress" } & Told) | WorkerResult | { event: "pull" } | { event: "error"; error: SentError }
);

/** The fields of an {@link EngineError}: a thrown error loses its class on its way to another thread. */
export interface SentError {
  code: ErrorCode;
  problem: string;
  where?: string;
  expected?: unknown;
  actual?: unknown;
  fix?: string;
}

export function sendable(error: unknown): SentError {
  if (!(error instanceof EngineError)) return { code: "internal", problem: String(error) };
  const { code, problem, where, expected, actual, fix } = error;
  const details = Object.entries({ where, expected: cloned(expected), actual: cloned(actual), fix });
  return { code, problem, ...Object.fromEntries(details.filter(([, value]) => value !== undefined)) };
}

/** An error may hold a caller's values, functions among them, which cannot be sent. */
function cloned(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    return `a ${typeof value}`;
  }
}

export function received({ code, problem, ...details }: SentError): EngineError {
  return new EngineError(code, problem, details);
}
