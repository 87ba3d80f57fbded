import { writeNpz } from "../../checkpoint/numpy/npz.ts";
import type { HistoryPrompt } from "../../bark/voice/history_prompt.ts";
import { EngineError } from "../../engine/errors.ts";
import { hashOfVoice } from "../../speech/book/hash.ts";
import { readVoiceFile } from "../../speech/book/speak_book.ts";
import type { BookStore } from "../../speech/book/store.ts";

/** Puts the tokens of a voice into a store, once for all books. @returns its id there: their hash. */
export async function storeVoice(files: BookStore, voice: HistoryPrompt): Promise<string> {
  const id = await hashOfVoice(voice);
  await files.create(fileOf(id), writeNpz({ ...voice }));
  return id;
}

/** @throws EngineError `bad-input` if it is not there, or not what was stored. */
export async function readStoredVoice(files: BookStore, id: string): Promise<HistoryPrompt> {
  const where = `${files.name}/${fileOf(id)}`;
  const fix = "the same `bark book` stores it again once the file is gone";
  const bytes = await files.read(fileOf(id));
  if (bytes === undefined) throw new EngineError("bad-input", "the voice is not in the store", { where, fix });
  const voice = await readVoiceFile(bytes, where);
  if ((await hashOfVoice(voice)) === id) return voice;
  throw new EngineError("bad-input", "is another voice than was stored", { where, fix });
}

const fileOf = (id: string): string => `voices/${id}.npz`;
