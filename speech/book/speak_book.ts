import { NpzFile, writeNpz } from "../../checkpoint/numpy/npz.ts";
import { MemorySource } from "../../checkpoint/sources/memory.ts";
import type { BarkOutput, BarkProgress } from "../../bark/generate/output.ts";
import type { BarkModel } from "../../bark/model.ts";
import type { BarkProcessor } from "../../bark/text/processor.ts";
import type { HistoryPrompt } from "../../bark/voice/history_prompt.ts";
import { validateVoice } from "../../bark/voice/voices.ts";
import { EngineError } from "../../engine/errors.ts";
import type { OnNotice } from "../../engine/notice.ts";
import { faultLine, faultsOf } from "../guard.ts";
import {
  PieceSpeaker,
  tokensOf,
  voiceOf,
  type OnPieceProgress,
  type SpeakSettings,
  type SpokenPiece,
} from "../speak.ts";
import type { PieceFiles, StoredPiece } from "./pieces.ts";
import type { BookPiece, BookPlan } from "./plan.ts";
import type { BookStore } from "./store.ts";

/** The voice that Bark made up for a book. */
export const voiceFile = "voice.npz";

export type OnBookProgress = (progress: BarkProgress, piece: BookPiece) => void;

/** A piece that was spoken and stored now. */
export interface NewPiece {
  readonly piece: BookPiece;
  readonly stored: StoredPiece;
  readonly run: BarkOutput;
}

/**
 * Speaks pieces of a book and stores each. What a piece sounds like follows from its key alone: it is judged by
 * the usual pace, never by that of its neighbours, and a voice that Bark makes up is that of the plan's `voice.madeFor`,
 * whichever piece comes first. So pieces may be spoken in any order, here or elsewhere, in one run or in many.
 */
export class BookSpeaker {
  readonly #model: BarkModel;
  readonly #processor: BarkProcessor;
  readonly #plan: BookPlan;
  readonly #settings: SpeakSettings;
  readonly #store: BookStore;
  readonly #files: PieceFiles;
  readonly #notice: OnNotice;

  constructor(
    model: BarkModel,
    processor: BarkProcessor,
    plan: BookPlan,
    settings: SpeakSettings,
    { store, files, notice }: { store: BookStore; files: PieceFiles; notice: OnNotice },
  ) {
    this.#model = model;
    this.#processor = processor;
    this.#plan = plan;
    this.#settings = { ...settings, pace: "usual" };
    this.#store = store;
    this.#files = files;
    this.#notice = notice;
  }

  /**
   * Speaks pieces and stores each.
   * @param onProgress is given the first of the pieces that are being spoken.
   * @throws EngineError as `PieceSpeaker.speak`; `io` if a piece cannot be stored.
   */
  async *speak(pieces: readonly BookPiece[], onProgress?: OnBookProgress): AsyncGenerator<NewPiece, void, undefined> {
    const { madeFor } = this.#plan.voice;
    const ofVoice = pieces.find(({ voice }) => voice === null);
    let { voice } = this.#settings;
    let rest = pieces;
    if (madeFor !== undefined && ofVoice !== undefined) {
      const maker = pieces.find((piece) => piece.voice === null && piece.text === madeFor);
      voice = (maker === undefined ? await this.#storedVoice() : undefined) ?? null;
      for await (const spoken of this.#each(
        voice === null ? [maker ?? { ...ofVoice, text: madeFor }] : [],
        null,
        onProgress,
      )) {
        voice = await this.#keepVoice(voiceOf(this.#model, spoken.run));
        if (maker !== undefined) yield await this.#stored(maker, spoken);
      }
      rest = pieces.filter((piece) => piece !== maker);
    }
    let next = 0;
    for await (const spoken of this.#each(rest, voice, onProgress)) yield await this.#stored(rest[next++], spoken);
  }

  #each(
    pieces: readonly BookPiece[],
    voice: HistoryPrompt | null,
    onProgress?: OnBookProgress,
  ): AsyncGenerator<SpokenPiece, void, undefined> {
    const report: OnPieceProgress | undefined =
      onProgress && ((progress, piece) => onProgress(progress, pieces[piece]));
    return new PieceSpeaker(this.#model, this.#processor, { ...this.#settings, voice }, report).speak(pieces);
  }

  async #stored(piece: BookPiece, { audio, flags, attempts, seed, run }: SpokenPiece): Promise<NewPiece> {
    if (faultsOf(flags).length > 0) this.#notice(faultLine("a piece", piece.text, flags, attempts));
    const tokens = tokensOf(this.#model, run);
    const stored = await this.#files.add(piece, audio, { flags, attempts, seed: String(seed), tokens });
    return { piece, stored, run };
  }

  /** Stores the voice that was made up. Of several machines the first one's is that of the book. */
  async #keepVoice(voice: HistoryPrompt): Promise<HistoryPrompt> {
    if (await this.#store.create(voiceFile, writeNpz({ ...voice }))) return voice;
    return (await this.#storedVoice()) ?? (await this.#keepVoice(voice));
  }

  async #storedVoice(): Promise<HistoryPrompt | undefined> {
    const bytes = await this.#store.read(voiceFile);
    const where = `${this.#store.name}/${voiceFile}`;
    try {
      return bytes && (await readVoiceFile(bytes, where));
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      this.#notice(`${where} is damaged: the voice is made up again, as it was`);
      await this.#store.remove(voiceFile);
      return undefined;
    }
  }
}

/** The tokens of a voice in a file. @throws EngineError `bad-input`. */
export async function readVoiceFile(bytes: Uint8Array<ArrayBuffer>, where: string): Promise<HistoryPrompt> {
  const npz = await NpzFile.open(new MemorySource(where, bytes));
  const prompts: Record<string, unknown> = {};
  for (const name of npz.names) prompts[name] = await npz.read(name);
  return validateVoice(prompts, where);
}
