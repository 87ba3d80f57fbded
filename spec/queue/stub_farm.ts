import { sha256 } from "../../speech/book/hash.ts";
import { PieceFiles } from "../../speech/book/pieces.ts";
import { makeBookPlan, uniquePieces, writeBookPlan, type BookPlan } from "../../speech/book/plan.ts";
import { folderOf } from "../../speech/book/store.ts";
import { planSpeech } from "../../speech/plan.ts";
import { Farm } from "../../server/queue/farm.ts";
import { bookId, FarmRun, type FarmPiece } from "../../server/queue/farm_run.ts";
import type { Kind } from "../../server/queue/kind.ts";
import { PieceWorker, type PieceRequest, type WorkerOptions } from "../../server/queue/piece_worker.ts";
import type { FarmStore } from "../../server/queue/stores/open.ts";

export const rate = 1000;

/** Of a book whose pieces nobody needs a model for. */
export const settings = {
  ...{ version: "1.0.0", checkpoint: "c", dtype: "as stored", seed: "7", retries: 0, takes: 1, kwargs: {} },
};

export const kindOf = ({ id: store }: FarmStore, other: Partial<Kind> = {}): Kind => ({
  ...{ version: "1.0.0", checkpoint: "c", dtype: "as stored", store },
  ...other,
});

/** The sound that a text gets: it follows from the text alone, as that of a model does. */
export async function soundOf(text: string): Promise<Float32Array<ArrayBuffer>> {
  const hash = await sha256(new TextEncoder().encode(text));
  return Float32Array.from({ length: 100 }, (_, i) => Number.parseInt(hash[i % 64], 16) / 16 - 0.4);
}

export async function speakStub({ piece, files }: Pick<PieceRequest, "piece" | "files">): Promise<void> {
  await files.add(piece, await soundOf(piece.text), { flags: [], attempts: 1, seed: "7" });
}

/** A plan with a piece for each sentence, stored in a folder of a store. */
export async function storePlan(store: FarmStore, name: string, sentences: readonly string[]): Promise<BookPlan> {
  const voice = { name: "given", tokens: emptyVoice };
  const plan = await makeBookPlan({
    ...{ file: "a.txt", source: "", title: name, author: null, settings, voice, voices: new Map() },
    ...planSpeech(sentences.join("\n\n"), { goal: 1 }),
  });
  await writeBookPlan(folderOf(store.files, name), plan, true);
  return plan;
}

const { NdArray } = await import("../../engine/ndarray.ts");
const emptyVoice = {
  semantic_prompt: new NdArray(Int32Array.of(1, 2), [2]),
  coarse_prompt: new NdArray(Int32Array.of(1, 2, 3, 4), [2, 2]),
  fine_prompt: new NdArray(new Int32Array(16), [8, 2]),
};

export interface StubRun {
  readonly farm: Farm;
  readonly store: FarmStore;
  readonly name: string;
  readonly plan: BookPlan;
  readonly signal?: AbortSignal;
  readonly notices?: string[];
}

/** What `bark book --queue` does for the pieces of a plan. */
export function runOf({ farm, store, name, plan, signal, notices = [] }: StubRun, id: string): FarmRun {
  const folder = folderOf(store.files, name);
  const files = new PieceFiles(folder, rate);
  const book = { id, folder: name, title: name, kind: kindOf(store) };
  const stop = signal ?? new AbortController().signal;
  return new FarmRun(
    {
      ...{ farm, store, book, plan, folder, files, signal: stop, notice: (line: string) => void notices.push(line) },
      ...{ voice: emptyVoice, voices: new Map(), poll: 20 },
    },
    uniquePieces(plan),
  );
}

export async function allOf(stub: StubRun): Promise<FarmPiece[]> {
  const id = await bookId(stub.store, stub.name);
  const run = runOf(stub, id);
  await run.begin();
  const pieces: FarmPiece[] = [];
  for await (const piece of run.spoken()) pieces.push(piece);
  await stub.farm.forget(id);
  return pieces;
}

const workers = new Set<AbortController>();

/** Those that a failed test left. */
export function stopWorkers(): void {
  for (const stopped of workers) stopped.abort();
  workers.clear();
}

/** A worker in this process. */
export async function startWorker(
  url: string,
  store: FarmStore,
  speak: WorkerOptions["speak"],
  other: Partial<Pick<WorkerOptions, "kind" | "lock" | "rate">> = {},
): Promise<{ notices: string[]; stop(): Promise<number>; ended: Promise<number> }> {
  const notices: string[] = [];
  const notice = (line: string): void => void notices.push(line);
  const stopped = new AbortController();
  workers.add(stopped);
  const farm = await Farm.open(url, notice);
  const options = { farm, store, kind: kindOf(store), adapter: "stub", rate, speak, notice, lock: 2000, ...other };
  const ended = new PieceWorker({ ...options, signal: stopped.signal }).run().finally(() => farm.close());
  ended.catch(() => undefined);
  return {
    notices,
    ended,
    stop: async () => {
      stopped.abort();
      return await ended;
    },
  };
}
