import { Joiner } from "../../audio/join.ts";
import { concatSamples } from "../../audio/concat.ts";
import type { BarkGenerationConfig } from "../../bark/config/generation_config.ts";
import type { BarkProcessor } from "../../bark/text/processor.ts";
import { EngineError } from "../../engine/errors.ts";
import { PieceFiles, type StoredPiece } from "../../speech/book/pieces.ts";
import { makeBookPlan, planFile, uniquePieces, writeBookPlan, type BookPlan } from "../../speech/book/plan.ts";
import { voiceFile } from "../../speech/book/speak_book.ts";
import { folderOf, type BookStore } from "../../speech/book/store.ts";
import type { SpeechInput } from "../../speech/plan.ts";
import { planText, settingsOf, type SpeechArguments } from "../../speech/speak_text.ts";
import type { SpokenPart } from "../../speech/speech.ts";
import { requestsFolder, type Farm } from "./farm.ts";
import { FarmRun, type FarmPiece } from "./farm_run.ts";
import type { Kind } from "./kind.ts";
import type { FarmStore } from "./stores/open.ts";

/** A farm, and what this process knows of the checkpoint that its workers speak. */
export interface FarmVoice {
  readonly farm: Farm;
  readonly store: FarmStore;
  readonly kind: Kind;
  readonly generation: BarkGenerationConfig;
  readonly processor: BarkProcessor;
  /** Milliseconds between two looks. Default 100. */
  readonly poll?: number;
}

/** A piece that the farm spoke. */
export interface FarmPart extends SpokenPart {
  readonly tokens: StoredPiece["tokens"];
}

/**
 * Has a text spoken by the farm, before all books, and gives its pieces out in order, as `BarkTTS.stream` does. Nothing of it
 * stays in the store. `return()` of the iterator, or the signal in `kwargs`, takes out what nobody speaks yet.
 * @throws EngineError as `BarkTTS.generate`; `internal` for a piece that no worker could speak; as {@link Farm.add}.
 */
export async function* speakByFarm(
  { farm, store, kind, generation, processor, poll = 100 }: FarmVoice,
  input: SpeechInput,
  given: SpeechArguments,
): AsyncGenerator<FarmPart, void, undefined> {
  const { signal = null, ...kwargs } = given.kwargs;
  requireForFarm(given);
  const speech = await planText(generation, processor, input, given);
  const { seed, voice, voices, retries, takes } = await settingsOf(processor, speech, given);
  const { version, checkpoint, dtype } = kind;
  const settings = { version, checkpoint, dtype, seed: String(seed), retries, takes, kwargs };
  const plan = await makeBookPlan({
    ...{ file: "request", source: "", title: "a request", author: null },
    ...{ settings, voice: voice && { name: "given", tokens: voice }, voices },
    ...speech,
  });
  const id = crypto.randomUUID();
  const name = `${requestsFolder}${id}`;
  const folder = folderOf(store.files, name);
  await writeBookPlan(folder, plan, true);
  const book = { id, folder: name, title: plan.title, kind, isUrgent: true };
  const files = new PieceFiles(folder, generation.sample_rate);
  const stop = signal ?? new AbortController().signal;
  const run = new FarmRun(
    { ...{ farm, store, book, plan, folder, files, voice, voices, poll }, signal: stop, notice: given.notice },
    uniquePieces(plan),
  );
  let isDone = false;
  try {
    await run.begin();
    yield* inOrder(plan, run.spoken(), files, generation.sample_rate, given.strict === true);
    isDone = true;
  } finally {
    // Also if the listener went away.
    if (isDone) await farm.forget(id);
    else await farm.stop(id, "cancelled").catch(() => undefined);
    await removeAll(folder, files, plan);
    // The empty folders, where a store has any.
    await store.files.remove(name).catch(() => undefined);
  }
}

/** What needs the piece before, or the tokens, is not in the store. */
function requireForFarm({ carry = 0, words = false, loudness, verify }: SpeechArguments): void {
  const wrong = Object.entries({
    carry: carry > 0,
    words,
    loudness: loudness !== undefined,
    verify: verify !== undefined,
  });
  const name = wrong.find(([, isGiven]) => isGiven)?.[0];
  if (name !== undefined)
    throw new EngineError("usage", "is not for speech by a farm", { where: name, fix: "leave it out" });
}

async function* inOrder(
  plan: BookPlan,
  spoken: AsyncIterable<FarmPiece>,
  files: PieceFiles,
  sampling_rate: number,
  strict: boolean,
): AsyncGenerator<FarmPart, void, undefined> {
  const { pieces, end } = plan;
  const isAlone = pieces.length === 1 && pieces[0].gap === 0 && end === 0;
  const joiner = new Joiner(sampling_rate);
  const known = new Map<string, FarmPiece["stored"]>();
  let next = 0;
  for await (const { piece, stored } of spoken) {
    if (stored.lost !== undefined)
      throw new EngineError("internal", `a piece could not be spoken: ${stored.lost}`, {
        where: piece.text.slice(0, 40),
      });
    known.set(piece.key, stored);
    for (; next < pieces.length && known.has(pieces[next].key); next++) {
      const { text, source, voice, gap, changes } = pieces[next];
      const { flags, attempts, seed, tokens } = known.get(pieces[next].key)!;
      if (strict && flags.some((flag) => flag !== "tail"))
        throw new EngineError("bad-input", "a piece came out badly in every take", { where: text.slice(0, 40) });
      const take = await files.audio(pieces[next]);
      const joined = isAlone ? { audio: take, start: 0, end: take.length } : joiner.add(take, gap);
      const isEnd = next + 1 === pieces.length && end > 0;
      const audio = isEnd ? concatSamples([joined.audio, joiner.silence(end)]) : joined.audio;
      const times = { start: joined.start / sampling_rate, end: joined.end / sampling_rate };
      const part = { audio, sampling_rate, piece: next, pieces: pieces.length, is_last: true, ...times };
      yield { ...part, text, source, voice, flags, attempts, seed: BigInt(seed), tokens, ...(changes && { changes }) };
    }
  }
}

async function removeAll(folder: BookStore, files: PieceFiles, plan: BookPlan): Promise<void> {
  // The plan first: a worker that does not find it any more removes what it stores itself.
  for (const name of [planFile, voiceFile]) await folder.remove(name).catch(() => undefined);
  for (const { key } of uniquePieces(plan)) await files.remove(key).catch(() => undefined);
}
