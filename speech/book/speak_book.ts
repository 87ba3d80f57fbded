import { NpzFile, writeNpz } from "../../checkpoint/numpy/npz.ts";
import { MemorySource } from "../../checkpoint/sources/memory.ts";
import type { BarkModel } from "../../bark/model.ts";
import type { BarkProcessor } from "../../bark/text/processor.ts";
import type { HistoryPrompt } from "../../bark/voice/history_prompt.ts";
import { validateVoice } from "../../bark/voice/voices.ts";
import { EngineError } from "../../engine/errors.ts";
import type { OnNotice } from "../../engine/notice.ts";
import { faultsOf } from "../guard.ts";
import { PieceSpeaker, voiceOf, type SpeakSettings, type SpokenPiece } from "../speak.ts";
import type { PieceFiles, StoredPiece } from "./pieces.ts";
import type { BookPiece, BookPlan } from "./plan.ts";
import type { BookStore } from "./store.ts";

/** The voice that Bark made up for a book. */
export const voiceFile = "voice.npz";

/**
 * Speaks pieces of a book one by one and stores each. What a piece sounds like follows from its key alone: it is judged by
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
  /** Speaks in voices that are given, and the other in the one that is made up. */
  readonly #given: PieceSpeaker;
  #made: PieceSpeaker | undefined;

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
    this.#given = this.#speakerWith(settings.voice);
  }

  /** Speaks a piece and stores it. @throws EngineError as `PieceSpeaker.speak`; `io` if it cannot be stored. */
  async speak(piece: BookPiece): Promise<StoredPiece> {
    const { audio, flags, attempts, seed } = await this.#spoken(piece);
    if (faultsOf(flags).length > 0)
      this.#notice(
        `a piece may be bad (${faultsOf(flags).join(", ")}) in the best of ${attempts} takes: ` +
          JSON.stringify(piece.text.slice(0, 40)),
      );
    return await this.#files.add(piece, audio, { flags, attempts, seed: String(seed) });
  }

  async #spoken(piece: BookPiece): Promise<SpokenPiece> {
    const { madeFor } = this.#plan.voice;
    if (madeFor === undefined || piece.voice !== null) return await this.#given.speak(piece);
    if (piece.text === madeFor) return await this.#makeVoice(piece);
    this.#made ??= await this.#storedVoice();
    if (this.#made === undefined) await this.#makeVoice({ ...piece, text: madeFor });
    return await this.#made!.speak(piece);
  }

  /** Speaks without a voice, and keeps the one that this makes up. */
  async #makeVoice(piece: BookPiece): Promise<SpokenPiece> {
    const spoken = await this.#speakerWith(null).speak(piece);
    const voice = voiceOf(this.#model, spoken.run);
    await this.#store.write(voiceFile, writeNpz({ ...voice }));
    this.#made = this.#speakerWith(voice);
    return spoken;
  }

  #speakerWith(voice: HistoryPrompt | null): PieceSpeaker {
    return new PieceSpeaker(this.#model, this.#processor, { ...this.#settings, voice });
  }

  async #storedVoice(): Promise<PieceSpeaker | undefined> {
    const bytes = await this.#store.read(voiceFile);
    const where = `${this.#store.name}/${voiceFile}`;
    try {
      return bytes && this.#speakerWith(await readVoice(bytes, where));
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      this.#notice(`${where} is damaged: the voice is made up again, as it was`);
      return undefined;
    }
  }
}

async function readVoice(bytes: Uint8Array<ArrayBuffer>, where: string): Promise<HistoryPrompt> {
  const npz = await NpzFile.open(new MemorySource(where, bytes));
  const prompts: Record<string, unknown> = {};
  for (const name of npz.names) prompts[name] = await npz.read(name);
  return validateVoice(prompts, where);
}
