import { randomSeed } from "../../bark/generate/options/generate_arguments.ts";
import type { BarkGenerationConfig } from "../../bark/config/generation_config.ts";
import type { BarkProcessor } from "../../bark/text/processor.ts";
import type { HistoryPrompt } from "../../bark/voice/history_prompt.ts";
import { languageOf, planText, settingsOf, type SpeechArguments } from "../speak_text.ts";
import { hashOf, hashOfVoice, sha256 } from "./hash.ts";
import {
  makeBookPlan,
  readBookPlan,
  requireSameBook,
  writeBookPlan,
  type BookPlan,
  type BookSettings,
} from "./plan.ts";
import type { BookText } from "./read/book.ts";
import type { BookStore } from "./store.ts";

/** What is to be spoken, and how. */
export interface BookRequest {
  /** Name of the file, without its folders. */
  readonly file: string;
  /** What it holds; undefined if it is gone: then the folder's plan goes on. */
  readonly content: { readonly bytes: Uint8Array<ArrayBuffer>; readonly text: BookText } | undefined;
  /** Of pieces that name none; null: Bark makes one up. */
  readonly voice: { readonly name: string; readonly tokens: HistoryPrompt } | null;
  /** Without a seed: that of the folder's plan, or a drawn one. */
  readonly settings: Omit<BookSettings, "seed"> & { readonly seed: string | undefined };
  /** How the text becomes pieces. */
  readonly planning: Pick<SpeechArguments, "language" | "cast" | "gaps" | "normalize" | "lexicon">;
  readonly notice: (line: string) => void;
}

/**
 * The plan of a book: that of its folder, as it was stored, or a new one, which is stored. A file that has changed is planned
 * anew: pieces whose text is the same keep their keys, and so their sound.
 * @throws EngineError `usage` if the folder holds another book; as planning a text.
 */
export async function prepareBook(
  store: BookStore,
  generation: BarkGenerationConfig,
  processor: BarkProcessor,
  request: BookRequest,
): Promise<BookPlan> {
  const { file, content, planning, notice } = request;
  const old = await readBookPlan(store);
  const source = content && (await hashOf({ file: await sha256(content.bytes), planning }));
  if (old !== undefined) await requireSame(old, request, source ?? old.source, store.name);
  if (old !== undefined && (content === undefined || old.source === source)) return old;
  const { text } = content!;
  const language = planning.language ?? codeOf(text.language) ?? languageOf(request.voice?.name);
  const given: SpeechArguments = { ...planning, language, kwargs: {}, notice };
  const speech = await planText(generation, processor, text.script, given);
  const { voices } = await settingsOf(processor, speech, given);
  const seed = request.settings.seed ?? old?.settings.seed ?? String(randomSeed());
  const plan = await makeBookPlan(
    {
      ...{ file, source: source!, title: text.title ?? file.replace(/\.[^.]*$/, ""), author: text.author ?? null },
      ...{ settings: { ...request.settings, seed }, voice: request.voice, voices },
      ...speech,
    },
    old,
  );
  if (old !== undefined) {
    const known = new Set(old.pieces.map(({ key }) => key));
    const others = plan.pieces.filter(({ key }) => !known.has(key)).length;
    notice(`${file} or its options have changed: ${others} of ${plan.pieces.length} pieces are new`);
  }
  if (await writeBookPlan(store, plan, old === undefined)) return plan;
  // Another process was first: its seed may be another.
  return await prepareBook(store, generation, processor, request);
}

async function requireSame(old: BookPlan, request: BookRequest, source: string, folder: string): Promise<void> {
  const { file, settings, voice } = request;
  const id = voice === null ? {} : { id: await hashOfVoice(voice.tokens) };
  requireSameBook(old, { file, source, settings, voice: { name: voice?.name ?? null, ...id } }, folder);
}

/** Two letters of a language tag, such as `de` of `de-AT`. */
function codeOf(tag: string | undefined): string | undefined {
  return /^[a-z]{2}(?![a-z])/i.exec(tag ?? "")?.[0].toLowerCase();
}
