import { hostname } from "node:os";
import type { Job } from "bullmq";
import type { HistoryPrompt } from "../../bark/voice/history_prompt.ts";
import { EngineError } from "../../engine/errors.ts";
import type { OnNotice } from "../../engine/notice.ts";
import { PieceFiles } from "../../speech/book/pieces.ts";
import { readBookPlan, type BookPiece, type BookPlan } from "../../speech/book/plan.ts";
import { voiceFile } from "../../speech/book/speak_book.ts";
import { folderOf, type BookStore } from "../../speech/book/store.ts";
import { queueError } from "./connection.ts";
import { attempts, requestsFolder, type Farm, type PieceData } from "./farm.ts";
import { differenceOf, queueOf, type Kind } from "./kind.ts";
import type { FarmStore } from "./stores/open.ts";
import { readStoredVoice } from "./voices.ts";

/** A piece to be spoken. */
export interface PieceRequest {
  readonly plan: BookPlan;
  readonly piece: BookPiece;
  /** Null: the one that is made up for the book. */
  readonly voice: HistoryPrompt | null;
  /** The book's folder of the store, and its pieces. */
  readonly store: BookStore;
  readonly files: PieceFiles;
  readonly signal: AbortSignal;
}

export interface WorkerOptions {
  readonly farm: Farm;
  readonly store: FarmStore;
  readonly kind: Kind;
  /** Its name, for people. */
  readonly adapter: string;
  /** Samples a second. */
  readonly rate: number;
  /** Speaks a piece and stores it. */
  readonly speak: (request: PieceRequest) => Promise<void>;
  readonly notice: OnNotice;
  /** Ends the work; a piece under way is handed back. */
  readonly signal: AbortSignal;
  /** Milliseconds after which the piece of a worker that fell silent goes to another. Default 60,000. */
  readonly lock?: number;
}

/** Milliseconds between two signs of life. */
const heartbeat = 20_000;
/** Pieces whose plans are kept, some 1 kB each: those of many books come in turns. */
const mostPieces = 100_000;

const mostVoices = 100;

interface KnownPlan {
  readonly plan: BookPlan;
  readonly pieces: ReadonlyMap<string, BookPiece>;
}

/** Speaks pieces of the farm, one at a time, as long as it is let. */
export class PieceWorker {
  readonly #options: WorkerOptions;
  readonly #id = crypto.randomUUID();
  readonly #plans = new Map<string, KnownPlan>();
  readonly #voices = new Map<string, HistoryPrompt>();
  /** Books that are not for this worker, and were told of. */
  readonly #told = new Set<string>();
  readonly #stopped = new AbortController();
  #fault: EngineError | undefined;
  #spoken = 0;
  #spokenAtBeat = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /**
   * Works until the signal. @returns how many pieces it spoke.
   * @throws EngineError `io` if the store cannot be written, `device-lost`: others may do better.
   */
  async run(): Promise<number> {
    const { farm, kind, notice, signal, lock = 60_000 } = this.#options;
    const { bullmq, options, where } = farm.connection;
    const worker = new bullmq.Worker<PieceData, true>(
      await queueOf(kind),
      // Not a method alone: BullMQ counts the arguments.
      async (job, token) => await this.#process(job, token!),
      {
        ...options,
        ...{ autorun: false, name: this.#id, drainDelay: 10 },
        ...{ lockDuration: lock, stalledInterval: lock / 4, maxStalledCount: 2 },
      },
    );
    const told = new Set<string>();
    worker.on("error", (error) => {
      const line = lineOf(queueError(error, where));
      if (line !== undefined && !told.has(line)) notice(line);
      if (line !== undefined) told.add(line);
    });
    const stop = (): void => this.#stopped.abort();
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    const timer = setInterval(() => void this.#beat().catch(() => undefined), heartbeat);
    try {
      await worker.waitUntilReady();
      await this.#beat();
      await Promise.race([worker.run(), once(this.#stopped.signal)]);
    } finally {
      clearInterval(timer);
      signal.removeEventListener("abort", stop);
      // Waits for the piece under way, which is handed back.
      await worker.close();
      await farm.leave(this.#id).catch(() => undefined);
    }
    if (this.#fault !== undefined) throw this.#fault;
    return this.#spoken;
  }

  /** A sign of life, and a word about books that this worker leaves alone. */
  async #beat(): Promise<void> {
    const { farm, kind, adapter, notice } = this.#options;
    await farm.announce({ id: this.#id, host: hostname(), adapter, kind, spoken: this.#spoken });
    // Who has work does not ask Redis for books that are not for it: a thousand workers would keep it busy.
    const isIdle = this.#spoken === this.#spokenAtBeat;
    this.#spokenAtBeat = this.#spoken;
    if (!isIdle) return;
    for (const book of await farm.books()) {
      const difference = differenceOf(book.kind, kind);
      if (difference === undefined || this.#told.has(book.id)) continue;
      this.#told.add(book.id);
      notice(`leaves ${JSON.stringify(book.title)} to other workers: this one has ${difference}`);
    }
  }

  async #process(job: Job<PieceData, true>, token: string): Promise<true> {
    const { farm, notice } = this.#options;
    const handBack = async (): Promise<never> => {
      await job.moveToWait(token);
      throw new farm.connection.bullmq.WaitingError();
    };
    // Fetched in the moment in which the work ended.
    if (this.#stopped.signal.aborted) return await handBack();
    try {
      await this.#speak(job.data);
      return true;
    } catch (error) {
      if (this.#stopped.signal.aborted) return await handBack();
      const code = error instanceof EngineError ? error.code : "internal";
      // No fault of the piece: the next worker may have a better disk.
      if (code === "io") {
        this.#end(error as EngineError);
        return await handBack();
      }
      notice(`a piece failed (try ${job.attemptsMade + 1} of ${attempts}): ${(error as Error).message}`);
      // It may be the piece's fault, so the try counts; but this worker has no device any more.
      if (code === "device-lost") this.#end(error as EngineError);
      throw error;
    }
  }

  #end(fault: EngineError): void {
    this.#fault = fault;
    this.#stopped.abort();
  }

  async #speak({ folder, key, voice: id }: PieceData): Promise<void> {
    const { store, rate, speak, notice } = this.#options;
    const files = folderOf(store.files, folder);
    const found = await this.#find(files, key);
    if (found === undefined)
      throw new EngineError("bad-input", "has no such piece any more", {
        where: `${files.name}/plan.json`,
        actual: key,
      });
    const pieces = new PieceFiles(files, rate);
    // Another worker may have stored it and lost its connection before it could say so.
    if ((await pieces.find(found.piece, notice)) !== undefined) return;
    await speak({
      ...found,
      voice: id === null ? null : await this.#voiceOf(id),
      store: files,
      files: pieces,
      signal: this.#stopped.signal,
    });
    this.#spoken++;
    // Whoever asked for it may have gone meanwhile, and nobody else would remove it.
    if (!folder.startsWith(requestsFolder) || (await readBookPlan(files)) !== undefined) return;
    // By their names, too: S3 has no folders.
    await pieces.remove(key);
    await files.remove(voiceFile);
    await store.files.remove(folder);
  }

  async #voiceOf(id: string): Promise<HistoryPrompt> {
    const voice = this.#voices.get(id) ?? (await readStoredVoice(this.#options.store.files, id));
    this.#voices.delete(id);
    this.#voices.set(id, voice);
    if (this.#voices.size > mostVoices) this.#voices.delete(this.#voices.keys().next().value!);
    return voice;
  }

  /** A piece by its key; the plan is read again where the one that was read does not have it. */
  async #find(files: BookStore, key: string): Promise<{ plan: BookPlan; piece: BookPiece } | undefined> {
    const kept = this.#plans.get(files.name);
    const known = kept?.pieces.has(key) === true ? kept : await this.#read(files);
    const piece = known?.pieces.get(key);
    if (known === undefined || piece === undefined) return undefined;
    // The last of the map is the one that was used last.
    this.#plans.delete(files.name);
    this.#plans.set(files.name, known);
    let count = 0;
    for (const [name, { pieces }] of [...this.#plans].reverse())
      if ((count += pieces.size) > mostPieces && pieces !== known.pieces) this.#plans.delete(name);
    return { plan: known.plan, piece };
  }

  async #read(files: BookStore): Promise<KnownPlan | undefined> {
    const plan = await readBookPlan(files);
    return plan && { plan, pieces: new Map(plan.pieces.map((piece) => [piece.key, piece])) };
  }
}

/** What people should know of an error of the queue. */
function lineOf(error: Error): string | undefined {
  // A lost server is told by the connection.
  if (/no Redis answers|Connection is closed/.test(error.message)) return undefined;
  if (/lock/i.test(error.message))
    return "this worker was held up, and its piece went to another: what it spoke late is left out";
  return error.message;
}

async function once(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}
