import type { GenerateKwargs } from "../../bark/generate/options/generate_options.ts";
import type { HistoryPrompt } from "../../bark/voice/history_prompt.ts";
import { isObject } from "../../engine/check/json_fields.ts";
import { EngineError } from "../../engine/errors.ts";
import type { PlannedPiece, SpeechPlan } from "../plan.ts";
import { hashOf, hashOfVoice } from "./hash.ts";
import { jsonBytes, type BookStore } from "./store.ts";

/** All that the sound of a piece follows from, beside its text and its voice. */
export interface BookSettings {
  /** Of bark-webgpu. */
  readonly version: string;
  /** Fingerprint of the checkpoint. */
  readonly checkpoint: string;
  /** Of the weights on the GPU. */
  readonly dtype: string;
  /** A decimal number. */
  readonly seed: string;
  readonly retries: number;
  readonly takes: number;
  /** Keywords of `BarkModel.generate`. */
  readonly kwargs: GenerateKwargs;
}

/** The voice of pieces that name none. */
export interface BookVoice {
  /** Its name or file, for readers; null: made up for the first piece. */
  readonly name: string | null;
  /** Hash of its tokens, or, of one that is made up, of what it follows from. */
  readonly id: string;
  /** The text that it is made up for. It stays when the book changes, or every piece would be another. */
  readonly madeFor?: string;
}

export interface BookPiece extends PlannedPiece {
  /** Of its files: a hash of text, voice and settings. Equal keys mean equal sounds, on any machine with the same kernels. */
  readonly key: string;
}

/** A book that is spoken: `plan.json` in its folder. It is computed once, stored, and never computed again. */
export interface BookPlan extends Omit<SpeechPlan, "pieces"> {
  /** The file that the text is from, without its folders. */
  readonly file: string;
  /** Of the file and of the options of planning. */
  readonly source: string;
  readonly title: string;
  readonly author: string | null;
  readonly settings: BookSettings;
  readonly voice: BookVoice;
  readonly pieces: readonly BookPiece[];
}

export const planFile = "plan.json";

/** Each text of a voice once: a text that comes twice is spoken once. */
export function uniquePieces({ pieces }: BookPlan): BookPiece[] {
  return [...new Map(pieces.map((piece) => [piece.key, piece])).values()];
}

/** What a plan is made of. */
export interface BookParts extends Omit<BookPlan, "pieces" | "version" | "voice"> {
  readonly pieces: readonly PlannedPiece[];
  /** Of pieces that name none; null: made up. */
  readonly voice: { readonly name: string; readonly tokens: HistoryPrompt } | null;
  /** Voices that pieces name. */
  readonly voices: ReadonlyMap<string, HistoryPrompt>;
}

/** The plan of a book. @param old of the same folder: a voice that it made up stays. */
export async function makeBookPlan(parts: BookParts, old?: BookPlan): Promise<BookPlan> {
  const { voice: given, voices, settings, pieces, ...rest } = parts;
  const voice = given === null ? (old?.voice ?? (await madeUpVoice(pieces, settings))) : await givenVoice(given);
  const ids = new Map<string | null, string>([[null, voice.id]]);
  for (const [name, tokens] of voices) ids.set(name, await hashOfVoice(tokens));
  const keyed: BookPiece[] = [];
  for (const piece of pieces)
    keyed.push({ ...piece, key: await hashOf({ text: piece.text, voice: ids.get(piece.voice), settings }) });
  return { version: 1, ...rest, settings, voice, pieces: keyed };
}

async function givenVoice({ name, tokens }: NonNullable<BookParts["voice"]>): Promise<BookVoice> {
  return { name, id: await hashOfVoice(tokens) };
}

async function madeUpVoice(pieces: readonly PlannedPiece[], settings: BookSettings): Promise<BookVoice> {
  const madeFor = pieces.find(({ voice }) => voice === null)?.text ?? "";
  return { name: null, id: await hashOf({ madeFor, settings }), madeFor };
}

/**
 * The plan that a folder holds, if it holds one.
 * @throws EngineError `bad-input` if it is damaged or has another form.
 */
export async function readBookPlan(store: BookStore): Promise<BookPlan | undefined> {
  const bytes = await store.read(planFile);
  if (bytes === undefined) return undefined;
  const where = `${store.name}/${planFile}`;
  const fix = "give another folder with -o; the pieces in this one stay";
  let plan: unknown;
  try {
    plan = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new EngineError("bad-input", "is not valid JSON", { where, fix, cause });
  }
  if (isObject(plan) && plan["version"] === 1 && isObject(plan["settings"]) && Array.isArray(plan["pieces"]))
    return plan as unknown as BookPlan;
  throw new EngineError("bad-input", "is the plan of another version", {
    where,
    expected: "version 1",
    actual: isObject(plan) ? plan["version"] : plan,
    fix,
  });
}

/** Stores a plan. @param isNew nobody may have stored one meanwhile. @returns whether it is stored. */
export async function writeBookPlan(store: BookStore, plan: BookPlan, isNew: boolean): Promise<boolean> {
  const bytes = jsonBytes(plan);
  if (isNew) return await store.create(planFile, bytes);
  await store.write(planFile, bytes);
  return true;
}

/** What of a run may not differ from the run that it goes on with. */
export type BookIdentity = Pick<BookPlan, "file" | "source"> & {
  /** Without a seed: that of the plan. */
  readonly settings: Omit<BookSettings, "seed"> & { readonly seed?: string | undefined };
  /** Name of the voice, and of a given one its hash. */
  readonly voice: Pick<BookVoice, "name"> & { readonly id?: string };
};

/**
 * Whether a run is about the book that its folder holds.
 * @throws EngineError `usage` naming what differs: speaking on would mix two books, two voices or two versions.
 */
export function requireSameBook(plan: BookPlan, run: BookIdentity, folder: string): void {
  const differs = (what: string, expected: unknown, actual: unknown): never => {
    throw new EngineError("usage", `holds a book of another ${what}, which stays as it is`, {
      where: folder,
      expected,
      actual,
      fix: "give what it was begun with, or another folder with -o",
    });
  };
  const { settings, voice } = plan;
  if (settings.version !== run.settings.version) differs("version", settings.version, run.settings.version);
  if (plan.file !== run.file && plan.source !== run.source) differs("file", plan.file, run.file);
  const isVoiceOther = voice.name !== run.voice.name || (run.voice.id !== undefined && voice.id !== run.voice.id);
  if (isVoiceOther) differs("voice", voice.name ?? "none", run.voice.name ?? "none");
  if (run.settings.seed !== undefined && settings.seed !== run.settings.seed)
    differs("seed", settings.seed, run.settings.seed);
  for (const name of ["checkpoint", "dtype", "retries", "takes", "kwargs"] as const) {
    const [before, now] = [settings[name], run.settings[name]].map((value) => JSON.stringify(value));
    if (before !== now) differs(name === "kwargs" ? "sampling" : name, before, now);
  }
}
