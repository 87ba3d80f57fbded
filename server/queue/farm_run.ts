import type { HistoryPrompt } from "../../bark/voice/history_prompt.ts";
import { EngineError } from "../../engine/errors.ts";
import type { OnNotice } from "../../engine/notice.ts";
import { hashOf } from "../../speech/book/hash.ts";
import type { PieceFiles, StoredPiece } from "../../speech/book/pieces.ts";
import type { BookPiece, BookPlan } from "../../speech/book/plan.ts";
import { voiceFile } from "../../speech/book/speak_book.ts";
import type { BookStore } from "../../speech/book/store.ts";
import type { Farm, FarmBook, FarmProgress, PieceData } from "./farm.ts";
import type { FarmStore } from "./stores/open.ts";
import { storeVoice } from "./voices.ts";

/** What a farm is to speak: a plan that its store holds. */
export interface FarmTask {
  readonly farm: Farm;
  readonly store: FarmStore;
  readonly book: FarmBook;
  readonly plan: BookPlan;
  /** The book's folder of the store, and its pieces. */
  readonly folder: BookStore;
  readonly files: PieceFiles;
  /** Of pieces that name none; null: made up. */
  readonly voice: HistoryPrompt | null;
  /** Voices that pieces name. */
  readonly voices: ReadonlyMap<string, HistoryPrompt>;
  readonly signal: AbortSignal;
  readonly notice: OnNotice;
  /** Milliseconds between two looks. Default 1000. */
  readonly poll?: number;
}

/** The name of a book in a farm. */
export async function bookId({ id }: FarmStore, folder: string): Promise<string> {
  return (await hashOf({ store: id, folder })).slice(0, 16);
}

/** A piece that was spoken, or lost: then `stored.lost` says why. */
export interface FarmPiece {
  readonly piece: BookPiece;
  readonly stored: StoredPiece;
}

/** Pieces whose keys are fetched in a second: a look at a long book takes Redis a moment. */
const keysASecond = 2000;
/** Times that a piece is put in whose sound is not in the store when it is said to be. */
const mostRounds = 3;

/** Has pieces of a book spoken by a farm. */
export class FarmRun {
  readonly #task: FarmTask;
  /** Not spoken yet, by key. */
  readonly #open: Map<string, BookPiece>;
  /** Those that wait for the voice of the book to be made up. */
  readonly #waiting = new Map<string, BookPiece>();
  readonly #rounds = new Map<string, number>();
  readonly #places = new Map<string, number>();
  readonly #ids = new Map<string | null, string>();
  #isPaused = false;

  /** @param missing pieces, each key once. */
  constructor(task: FarmTask, missing: readonly BookPiece[]) {
    this.#task = task;
    this.#open = new Map(missing.map((piece) => [piece.key, piece]));
    for (const [i, { key }] of task.plan.pieces.entries()) if (!this.#places.has(key)) this.#places.set(key, i);
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Whether all pieces are in the farm, which goes on alone. */
  get isAllIn(): boolean {
    return this.#waiting.size === 0;
  }

  /** Stores the voices, and puts the pieces in; those of a voice that is still to be made up, once the first is spoken. */
  async begin(): Promise<void> {
    const { store, voice, voices, plan, folder } = this.#task;
    if (voice !== null) this.#ids.set(null, await storeVoice(store.files, voice));
    for (const [name, tokens] of voices) this.#ids.set(name, await storeVoice(store.files, tokens));
    const { madeFor } = plan.voice;
    const ofVoice = [...this.#open.values()].filter((piece) => piece.voice === null);
    if (madeFor !== undefined && ofVoice.length > 1 && (await folder.read(voiceFile)) === undefined) {
      const maker = ofVoice.find(({ text }) => text === madeFor) ?? ofVoice[0];
      for (const piece of ofVoice) if (piece !== maker) this.#waiting.set(piece.key, piece);
    }
    await this.#task.farm.resume(this.#task.book.id);
    await this.#put([...this.#open.values()].filter(({ key }) => !this.#waiting.has(key)));
  }

  /**
   * Each piece as it is spoken, in any order.
   * @throws EngineError `aborted` if the book was cancelled elsewhere, or by the signal; as {@link Farm.add}.
   */
  async *spoken(): AsyncGenerator<FarmPiece, void, undefined> {
    const { farm, book, signal } = this.#task;
    for (;;) {
      if (signal.aborted)
        throw new EngineError("aborted", "stopped while the farm worked", { where: book.title, cause: signal.reason });
      const state = await farm.state(book.id);
      if (state === "cancelled") throw new EngineError("aborted", "was cancelled", { where: book.title });
      this.#isPaused = state === "paused";
      const progress = await farm.progress(book.id);
      yield* this.#found(progress?.spoken ?? new Set());
      if (this.#open.size === 0) return;
      if (state === null) await this.#goOn();
      if (state === null && (progress === undefined || progress.open === 0)) yield* this.#settle(progress);
      await this.#pause();
    }
  }

  /** Pieces that are said to be spoken, and are there. */
  async *#found(keys: Iterable<string>): AsyncGenerator<FarmPiece, void, undefined> {
    for (const key of keys) {
      const piece = this.#open.get(key);
      const stored = piece && (await this.#task.files.find(piece, this.#task.notice));
      if (stored === undefined) continue;
      this.#open.delete(key);
      yield { piece: piece!, stored };
    }
  }

  /** Once the voice is made up, the pieces that wait for it are put in. */
  async #goOn(): Promise<void> {
    if (this.#waiting.size === 0 || (await this.#task.folder.read(voiceFile)) === undefined) return;
    const pieces = [...this.#waiting.values()];
    this.#waiting.clear();
    await this.#put(pieces);
  }

  /** The farm has nothing left of this book: what is not in the store is lost, or was never put in. */
  async *#settle(progress: FarmProgress | undefined): AsyncGenerator<FarmPiece, void, undefined> {
    const { farm, book, files, notice } = this.#task;
    // Somebody may have paused it since its state was read.
    if ((await farm.state(book.id)) !== null) return;
    const asked = [...this.#open.values()].filter(({ key }) => !this.#waiting.has(key));
    yield* this.#found(asked.map(({ key }) => key));
    const missing = asked.filter(({ key }) => this.#open.has(key));
    if (progress === undefined && missing.length > 0)
      notice(`the farm has lost the book: ${missing.length} pieces are put in again`);
    const again: BookPiece[] = [];
    for (const piece of missing) {
      const rounds = (this.#rounds.get(piece.key) ?? 0) + (progress === undefined ? 0 : 1);
      this.#rounds.set(piece.key, rounds);
      const why =
        progress?.failed.get(piece.key) ?? (rounds > mostRounds ? "its sound did not come into the store" : undefined);
      if (why === undefined || progress === undefined) again.push(piece);
      else yield this.#lost(piece, files, why);
    }
    await this.#put(again);
    // Without its maker there is no voice, and no piece of it can be spoken.
    const maker = missing.find(({ key, voice }) => voice === null && !this.#open.has(key));
    if (maker === undefined) return;
    for (const piece of this.#waiting.values()) yield this.#lost(piece, files, "the voice could not be made up");
    this.#waiting.clear();
  }

  #lost(piece: BookPiece, files: PieceFiles, why: string): FarmPiece {
    this.#open.delete(piece.key);
    this.#task.notice(`a piece could not be spoken: ${JSON.stringify(piece.text.slice(0, 40))}: ${why}`);
    return { piece, stored: files.lose(piece, why) };
  }

  async #put(pieces: readonly BookPiece[]): Promise<void> {
    const { farm, book } = this.#task;
    const folder = book.folder;
    const data = pieces.map(({ key, voice }): [number, PieceData] => [
      this.#places.get(key)!,
      { folder, key, voice: this.#ids.get(voice) ?? null },
    ]);
    if (data.length > 0) await farm.add(book, new Map(data.sort(([a], [b]) => a - b)));
  }

  async #pause(): Promise<void> {
    const { poll = 1000, plan, signal } = this.#task;
    const milliseconds = Math.max(poll, (plan.pieces.length / keysASecond) * 1000);
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      signal.addEventListener("abort", done);
    });
  }
}
