import { EngineError } from "../../engine/errors.ts";
import type { PieceFiles, StoredPiece } from "../../speech/book/pieces.ts";
import type { BookPiece, BookPlan } from "../../speech/book/plan.ts";
import { folderOf, type BookStore } from "../../speech/book/store.ts";
import { faultsOf } from "../../speech/guard.ts";
import type { SpeakSettings } from "../../speech/speak.ts";
import { Farm, type FarmBook, type WorkerFacts } from "../../server/queue/farm.ts";
import { bookId, FarmRun, type FarmPiece } from "../../server/queue/farm_run.ts";
import { differenceOf, type Kind } from "../../server/queue/kind.ts";
import { openStore, type FarmStore } from "../../server/queue/stores/open.ts";
import type { FarmOptions } from "../book_options.ts";

/** Milliseconds between two looks at who works. */
const interval = 5000;

/** A book that other machines speak, as `bark book` sees it. */
export class BookFarm {
  readonly #options: FarmOptions;
  readonly #farm: Farm;
  readonly #store: FarmStore;
  readonly #id: string;
  readonly #name: string;
  readonly #notice: (line: string) => void;
  #workers: readonly WorkerFacts[] = [];
  #told = "";

  private constructor(
    options: FarmOptions,
    farm: Farm,
    store: FarmStore,
    id: string,
    name: string,
    notice: (line: string) => void,
  ) {
    this.#options = options;
    this.#farm = farm;
    this.#store = store;
    this.#id = id;
    this.#name = name;
    this.#notice = notice;
  }

  /** @param name of its folder in the store. @throws EngineError as {@link Farm.open} and {@link openStore}. */
  static async open(options: FarmOptions, name: string, notice: (line: string) => void): Promise<BookFarm> {
    const farm = await Farm.open(options.queue, notice);
    try {
      const store = await openStore(options.store);
      return new BookFarm(options, farm, store, await bookId(store, name), name, notice);
    } catch (error) {
      await farm.close();
      throw error;
    }
  }

  /** The book's folder. */
  get folder(): BookStore {
    return folderOf(this.#store.files, this.#name);
  }

  /** Whether the folder is one on this machine. */
  get isOnDisk(): boolean {
    return !this.#options.store.startsWith("s3://");
  }

  /** Whether nobody waits for the book. */
  get isDetached(): boolean {
    return this.#options.action === "detach";
  }

  /** Those that speak this book, as last seen. */
  get workers(): readonly WorkerFacts[] {
    return this.#workers;
  }

  async stop(action: "pause" | "cancel"): Promise<void> {
    await this.#farm.stop(this.#id, action === "pause" ? "paused" : "cancelled");
  }

  /**
   * Has pieces spoken, and gives each out as it comes; of a detached book those that came until all were put in.
   * @throws EngineError as {@link FarmRun.spoken}.
   */
  async *speak(
    {
      plan,
      files,
      settings,
      signal,
    }: { plan: BookPlan; files: PieceFiles; settings: SpeakSettings; signal: AbortSignal },
    missing: readonly BookPiece[],
  ): AsyncGenerator<FarmPiece, void, undefined> {
    const { version, checkpoint, dtype } = plan.settings;
    const kind: Kind = { version, checkpoint, dtype, store: this.#store.id };
    const book: FarmBook = { id: this.#id, folder: this.#name, title: plan.title, kind };
    const { voice, voices } = settings;
    const task = { farm: this.#farm, store: this.#store, folder: this.folder, notice: this.#notice };
    const run = new FarmRun({ ...task, ...{ book, plan, files, voice, voices, signal } }, missing);
    await run.begin();
    const look = (): void => void this.#look(kind, run.isPaused).catch(() => undefined);
    look();
    const timer = setInterval(look, interval);
    try {
      if (this.isDetached && run.isAllIn) return;
      for await (const piece of run.spoken()) {
        yield piece;
        if (this.isDetached && run.isAllIn) return;
      }
    } finally {
      clearInterval(timer);
    }
  }

  /** Says who works on the book, whenever that changes. */
  async #look(kind: Kind, isPaused: boolean): Promise<void> {
    const workers = await this.#farm.workers();
    this.#workers = workers.filter((worker) => differenceOf(kind, worker.kind) === undefined);
    const line = isPaused ? "paused; the same command goes on" : whoWorks(kind, workers, this.#workers);
    if (line !== this.#told) this.#notice(line);
    this.#told = line;
  }

  /** @throws EngineError `bad-input` for a piece that is missing or bad. */
  requireGood(stored: readonly StoredPiece[]): void {
    const bad = stored.find(({ lost, flags }) => lost !== undefined || faultsOf(flags).length > 0);
    if (bad === undefined) return;
    throw new EngineError("bad-input", "a piece could not be spoken well", {
      where: JSON.stringify(bad.text.slice(0, 40)),
      actual: bad.lost ?? faultsOf(bad.flags).join(", "),
      fix: "change its text, allow more --retries, or leave out --strict",
    });
  }

  /** The book is joined. */
  async finish(): Promise<void> {
    await this.#farm.forget(this.#id);
  }

  async close(): Promise<void> {
    await this.#farm.close();
  }
}

function whoWorks(kind: Kind, all: readonly WorkerFacts[], ours: readonly WorkerFacts[]): string {
  const adapters = [...new Set(ours.map(({ adapter }) => adapter))];
  const count = ours.length === 1 ? "1 worker" : `${ours.length} workers`;
  const others = [...new Set(all.flatMap((worker) => differenceOf(kind, worker.kind) ?? []))];
  const others_ = others.length === 0 ? "" : `; another has ${others.join("; another has ")}`;
  if (ours.length === 0)
    return `no worker speaks this book: start \`bark worker\` with this --queue and --store${others_}`;
  // They round otherwise: spoken again, the book would not be the same byte for byte.
  const mixed = adapters.length > 1 ? ", whose samples may differ in their last bits" : "";
  return `${count}: ${adapters.join(", ")}${mixed}`;
}

/** What `--pause` and `--cancel` did. */
export function stoppedLine(action: "pause" | "cancel"): string {
  return action === "pause"
    ? "paused: pieces under way are finished; the same command without --pause goes on"
    : "cancelled: pieces under way are finished; what was spoken stays in the store";
}
