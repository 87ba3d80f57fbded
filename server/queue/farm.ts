import type { FlowProducer, Job, Queue } from "bullmq";
import { EngineError } from "../../engine/errors.ts";
import type { OnNotice } from "../../engine/notice.ts";
import { connect, queueError, type Connection } from "./connection.ts";
import { queueOf, type Kind } from "./kind.ts";

/** A book in the farm: the parent of its pieces. */
export interface FarmBook {
  /** The same for every process that is about this book. */
  readonly id: string;
  /** Of the store. */
  readonly folder: string;
  readonly title: string;
  readonly kind: Kind;
  /** Before everything that is not: somebody listens. */
  readonly isUrgent?: boolean;
}

/** What Redis holds of a piece; its text is in the plan, its sound in the store. */
export interface PieceData {
  readonly folder: string;
  readonly key: string;
  /** Id of the tokens that speak it; null: the voice that is made up for the book. */
  readonly voice: string | null;
}

/** How far a book is. */
export interface FarmProgress {
  /** Pieces that wait or are being spoken. */
  readonly open: number;
  /** Keys of pieces that were spoken since the book came. The store says whether they are there. */
  readonly spoken: ReadonlySet<string>;
  /** By key: why it failed. One that was put in again may be spoken meanwhile. */
  readonly failed: ReadonlyMap<string, string>;
}

/** What a worker says of itself. */
export interface WorkerFacts {
  readonly id: string;
  readonly host: string;
  readonly adapter: string;
  readonly kind: Kind;
  /** Pieces that it spoke. */
  readonly spoken: number;
}

export type BookState = "paused" | "cancelled" | null;

/** Of texts that somebody listens to; they are removed once they are heard. */
export const requestsFolder = "requests/";
export const booksQueue = "books";
/** Pieces that are put in at once: each batch holds Redis up for some milliseconds. */
const batch = 500;
/** BullMQ's last priority. */
const mostPriority = 2 ** 21 - 1;
/** Tries of a piece. */
export const attempts = 3;
/** Seconds without a sign of life after which a worker is not listed. */
const lifeSign = 60;
const workersSet = "bark:workers";

/**
 * Books in a queue. Redis holds what is to be spoken and what was: keys, never text or sound. All of it can be made again
 * from the store: whoever puts a book in a second time puts in what is missing.
 */
export class Farm {
  readonly connection: Connection;
  readonly #books: Queue<FarmBook>;
  readonly #flows: FlowProducer;

  private constructor(connection: Connection) {
    this.connection = connection;
    const { bullmq, options } = connection;
    this.#books = new bullmq.Queue<FarmBook>(booksQueue, options);
    this.#flows = new bullmq.FlowProducer(options);
    // Told by the connection, or thrown by what was called.
    this.#books.on("error", () => undefined);
    this.#flows.on("error", () => undefined);
  }

  /** @throws EngineError as {@link connect}. */
  static async open(url: string, notice: OnNotice): Promise<Farm> {
    return new Farm(await connect(url, notice));
  }

  /**
   * Puts pieces of a book in. Those that are in already stay where they are; so this may be called by several at once, and
   * again at any time.
   * @param pieces by their place in the book.
   * @throws EngineError `io` if Redis is full.
   */
  async add(book: FarmBook, pieces: ReadonlyMap<number, PieceData>): Promise<void> {
    const queueName = await queueOf(book.kind);
    const children = [...pieces].map(([index, data]) => ({
      ...{ name: "piece", queueName, data },
      opts: {
        // Not by its place: a sentence that is put in before it moves it, and it must stay one piece.
        jobId: `${book.id}-${data.key}`,
        // The first pieces of every book before the later ones of any: a short book does not wait for a long one.
        ...(book.isUrgent ? {} : { priority: Math.min(1 + index, mostPriority) }),
        // At once: a delay would compare the clocks of two machines.
        attempts,
        ...{ removeOnComplete: true, removeOnFail: true, ignoreDependencyOnFailure: true },
      },
    }));
    await this.#ask(async () => {
      for (let from = 0; from < children.length; from += batch)
        await this.#flows.add({
          ...{ name: "book", queueName: booksQueue, data: book, opts: { jobId: book.id } },
          children: children.slice(from, from + batch),
        });
    });
  }

  /** @returns undefined if the farm does not know the book: nobody put it in, or Redis lost its data. */
  async progress(id: string): Promise<FarmProgress | undefined> {
    return await this.#ask(async () => {
      const job = await this.#job(id);
      if (job === undefined) return undefined;
      const { unprocessed: open = 0 } = await job.getDependenciesCount({ unprocessed: true });
      const [spoken, failed] = [await job.getChildrenValues<true>(), await job.getIgnoredChildrenFailures()];
      return { open, spoken: new Set(byKey(spoken).keys()), failed: byKey(failed) };
    });
  }

  async state(id: string): Promise<BookState> {
    return await this.#ask(async () => (await this.connection.redis.get(stateKey(id))) as BookState);
  }

  /**
   * Takes the pieces of a book out that nobody speaks yet; {@link add} puts them in again.
   * @throws EngineError `usage` if it is not in the farm.
   */
  async stop(id: string, state: "paused" | "cancelled"): Promise<void> {
    await this.#ask(async () => {
      const job = await this.#job(id);
      if (job === undefined)
        throw new EngineError("usage", "is not in the farm", {
          where: "the book",
          fix: "without the flag it is put in",
        });
      // A cancelled book is told to who waits for it, and forgotten.
      const { redis } = this.connection;
      if (state === "paused") await redis.set(stateKey(id), state);
      else await redis.set(stateKey(id), state, "EX", 86_400);
      await job.removeUnprocessedChildren();
      if (state === "cancelled") await job.remove({ removeChildren: false });
    });
  }

  /** A book that was paused or cancelled is wanted again; {@link add} puts its pieces in. */
  async resume(id: string): Promise<void> {
    await this.#ask(() => this.connection.redis.del(stateKey(id)));
  }

  /** Forgets a book that is done. */
  async forget(id: string): Promise<void> {
    await this.#ask(async () => await (await this.#job(id))?.remove({ removeChildren: false }));
  }

  /** Books that are in the farm, the oldest first. */
  async books(most = 10): Promise<FarmBook[]> {
    const jobs = await this.#ask(() => this.#books.getJobs(["waiting-children", "waiting"], 0, most - 1, true));
    return jobs.filter((job) => job !== undefined).map(({ data }) => data);
  }

  /** A worker's sign of life. Its time is Redis's, so that nobody's clock matters. */
  async announce(facts: WorkerFacts): Promise<void> {
    const { redis } = this.connection;
    await redis.sadd(workersSet, facts.id);
    await redis.set(workerKey(facts.id), JSON.stringify(facts), "EX", lifeSign);
  }

  async leave(id: string): Promise<void> {
    await this.connection.redis.del(workerKey(id));
    await this.connection.redis.srem(workersSet, id);
  }

  async workers(): Promise<WorkerFacts[]> {
    return await this.#ask(async () => {
      const { redis } = this.connection;
      const ids = await redis.smembers(workersSet);
      if (ids.length === 0) return [];
      const found = await redis.mget(ids.map(workerKey));
      const dead = ids.filter((_, i) => found[i] === null);
      if (dead.length > 0) await redis.srem(workersSet, dead);
      return found.filter((text) => text !== null).map((text) => JSON.parse(text) as WorkerFacts);
    });
  }

  /** Pieces that wait, are spoken and failed, of a kind. */
  async counts(kind: Kind): Promise<Record<string, number>> {
    const queue = new this.connection.bullmq.Queue(await queueOf(kind), this.connection.options);
    try {
      return await this.#ask(() => queue.getJobCounts("prioritized", "waiting", "active"));
    } finally {
      await queue.close();
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#books.close(), this.#flows.close()]);
    this.connection.close();
  }

  async #job(id: string): Promise<Job<FarmBook> | undefined> {
    return await this.#books.getJob(id);
  }

  async #ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw queueError(error, this.connection.where);
    }
  }
}

const stateKey = (id: string): string => `bark:book:${id}`;
const workerKey = (id: string): string => `bark:worker:${id}`;

/** Of children, whose names end with the key of a piece: 64 digits. */
function byKey<T>(values: Readonly<Record<string, T>>): Map<string, T> {
  return new Map(Object.entries(values).map(([name, value]) => [name.slice(-64), value]));
}
