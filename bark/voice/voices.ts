import { readNpy } from "../../checkpoint/numpy/npy.ts";
import { readInteger, wrongArgument } from "../../engine/check/arguments.ts";
import { checkIds, readArray, type ArrayInput } from "../../engine/check/array_argument.ts";
import type { ByteSource } from "../../checkpoint/sources/byte_source.ts";
import { EngineError } from "../../engine/errors.ts";
import type { FileStore } from "../../checkpoint/stores/file_store.ts";
import { isObject, type JsonObject } from "../../engine/check/json_fields.ts";
import { readJsonFile } from "../../checkpoint/json_file.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { getFileHost } from "../../checkpoint/host.ts";
import { relativePath } from "../../checkpoint/relative_path.ts";
import { MemorySource } from "../../checkpoint/sources/memory.ts";
import { promptAxes, promptKeys, type HistoryPrompt, type PromptKey } from "./history_prompt.ts";
import type { VoiceOptions } from "./voice_options.ts";
import { codeOf } from "../generate/fine_plan.ts";

/** A preset's name, the path of an `.npz`, its bytes, or the three arrays. */
export type VoicePreset = string | Uint8Array | ArrayBuffer | Readonly<Record<string, NdArray>>;

const defaultIndex = "speaker_embeddings_path.json";

/** The voices of a checkpoint: presets named in its index, each in three `.npy` files. */
export class VoicePresets {
  /** The index as it was read: names added or removed there are added or removed here. Null without one. */
  readonly index: JsonObject | null;
  readonly #store: () => Promise<FileStore>;
  readonly #where: string;
  readonly #options: VoiceOptions;

  private constructor(store: () => Promise<FileStore>, index: JsonObject | null, where: string, options: VoiceOptions) {
    this.#store = store;
    this.index = index;
    this.#where = where;
    this.#options = options;
  }

  /**
   * Reads the index of a checkpoint; without one, or with null for its path, there are no presets. The options hold for
   * every voice.
   * @throws EngineError `bad-input`.
   */
  static async from_pretrained(
    store: FileStore,
    indexPath: string | null = defaultIndex,
    options: VoiceOptions = {},
  ): Promise<VoicePresets> {
    const index = indexPath === null ? null : ((await readJsonFile(store, indexPath)) ?? null);
    const where = `${store.name}/${indexPath}`;
    if (index === null || isObject(index)) return new VoicePresets(() => Promise.resolve(store), index, where, options);
    throw new EngineError("bad-input", "is not a JSON object", { where });
  }

  /** Presets of an index that a program made; paths are within its `repo_or_path`, or whole ones without it. */
  static ofIndex(index: JsonObject | null, options: VoiceOptions = {}): VoicePresets {
    const at = index?.["repo_or_path"] ?? "/";
    if (typeof at !== "string")
      throw wrongArgument("speaker_embeddings.repo_or_path", "a folder, a URL or a repository", at);
    let store: Promise<FileStore> | undefined;
    const open = (): Promise<FileStore> => (store ??= getFileHost().openStore(at));
    return new VoicePresets(open, index, "speaker_embeddings", options);
  }

  get names(): string[] {
    return Object.keys(this.index ?? {}).filter((name) => name !== "repo_or_path");
  }

  /**
   * The voice of a preset's name, a file, bytes or arrays. `names_only` holds if either set of options has it.
   * @throws EngineError `bad-input` if it is missing or not a voice, `usage` for a URL that is not allowed.
   */
  async load(preset: VoicePreset, options: VoiceOptions = {}): Promise<HistoryPrompt> {
    if (typeof preset === "string") {
      if (this.names.includes(preset)) return await this.#loadNamed(preset);
      if (options.names_only === true || this.#options.names_only === true) throw this.#unknown(preset);
      if (options.allow_urls !== true && this.#options.allow_urls !== true) {
        // A page has addresses in place of paths: a text that looks like neither is a mistyped preset.
        if (getFileHost().isPage && !/[/\\:]|\.npz$/i.test(preset)) throw this.#unknown(preset);
        refuseAddress(preset);
      }
      return await this.#loadFile(preset);
    }
    if (preset instanceof Uint8Array || preset instanceof ArrayBuffer)
      return await voiceOfNpz(new MemorySource("voice preset", new Uint8Array(preset)));
    return validateVoice(preset, "voice preset");
  }

  async #loadNamed(name: string): Promise<HistoryPrompt> {
    const where = this.#where;
    const entry = this.index?.[name];
    const store = await this.#store();
    const prompts: Record<string, NdArray> = {};
    for (const key of promptKeys) {
      const path = isObject(entry) ? entry[key] : undefined;
      if (typeof path !== "string")
        throw new EngineError("bad-input", `Voice preset unrecognized, missing ${key} as a key of "${name}"`, {
          where,
        });
      const relative = relativePath(store.name === "/" ? path.replace(/^\/+/, "") : path);
      if (relative === undefined) throw new EngineError("bad-input", `Invalid voice preset path: '${path}'`, { where });
      const source = await store.open(relative);
      if (source === undefined)
        throw new EngineError("bad-input", `${key} of the voice preset "${name}" does not exist`, {
          where: `${store.name}/${path}`,
          fix: "fetch the checkpoint's speaker_embeddings again",
        });
      prompts[key] = await closing(source, readNpy);
    }
    return validateVoice(prompts, `${where}: "${name}"`);
  }

  async #loadFile(name: string): Promise<HistoryPrompt> {
    const path = /\.npz$/i.test(name) ? name : `${name}.npz`;
    const source = await openFile(path);
    if (source !== undefined) return await closing(source, voiceOfNpz);
    throw this.#unknown(name, path);
  }

  /** @param path the file that was looked for too. */
  #unknown(name: string, path?: string): EngineError {
    const known = this.names.length === 0 ? "a preset, of which the checkpoint has none" : sample(this.names);
    return new EngineError("bad-input", "no such voice", {
      where: name,
      expected: path === undefined ? known : `${known}, or the path of an .npz`,
      actual: path === undefined ? "no preset" : `no preset and no file ${path}`,
      fix: "`bark voices` lists the presets",
    });
  }
}

function sample(names: readonly string[]): string {
  return names.length <= 6 ? names.join(", ") : `${names.slice(0, 5).join(", ")}, … (${names.length} presets)`;
}

/** @throws EngineError `usage` for an address, which would be fetched. A scheme of one letter is a drive of Windows. */
function refuseAddress(text: string): void {
  if (!/^[a-z][a-z0-9+.-]+:/i.test(text) && !getFileHost().isPage) return;
  throw new EngineError("usage", "a voice is not fetched from an address", {
    where: "voice_preset",
    expected: "a preset's name, the path of an .npz, its bytes or its arrays",
    actual: text,
    fix: "download it first, or give allow_urls: true if no stranger chooses the address",
  });
}

async function openFile(path: string): Promise<ByteSource | undefined> {
  const slash = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  const isRelative = !/^([./\\]|[a-z][a-z0-9+.-]*:)/i.test(path);
  let folder: FileStore;
  try {
    // Without ./ the name `owner/name@…` would mean a repository on the hub.
    folder = await getFileHost().openStore((isRelative ? "./" : "") + path.slice(0, slash + 1));
  } catch (error) {
    if (error instanceof EngineError && error.code === "bad-input") return undefined;
    throw error;
  }
  return await folder.open(path.slice(slash + 1));
}

async function closing<T>(source: ByteSource, read: (source: ByteSource) => Promise<T>): Promise<T> {
  try {
    return await read(source);
  } finally {
    await source.close();
  }
}

/** The three prompts of an `.npz`; nothing else in it is unpacked. */
async function voiceOfNpz(source: ByteSource): Promise<HistoryPrompt> {
  // Loaded here: a page whose voices are presets fetches code for nothing.
  const { NpzFile } = await import("../../checkpoint/numpy/npz.ts");
  const file = await NpzFile.open(source);
  const prompts: Record<string, NdArray> = {};
  for (const key of promptKeys) {
    const prompt = await file.read(key);
    if (prompt !== undefined) prompts[key] = prompt;
  }
  return validateVoice(prompts, source.name);
}

/** @throws EngineError `bad-input` for a missing array, another number of axes, or values that are not token ids. */
export function validateVoice(preset: unknown, where: string): HistoryPrompt {
  const fix = "give a voice in suno's layout: semantic_prompt [n], coarse_prompt [2, T], fine_prompt [8, T]";
  if (!isObject(preset))
    throw new EngineError("bad-input", "is not a voice", {
      where,
      expected: "three arrays by name",
      actual: Array.isArray(preset) ? "a list" : String(preset),
      fix,
    });
  const prompt = (key: PromptKey): NdArray<Int32Array<ArrayBuffer>> => {
    const array = preset[key];
    const axes = promptAxes[key];
    if (array === undefined)
      throw new EngineError("bad-input", `Voice preset unrecognized, missing ${key} as a key.`, { where, fix });
    if (!(array instanceof NdArray) || array.shape.length !== axes)
      throw new EngineError("bad-input", `${key} voice preset must be a ${axes}D ndarray.`, {
        where,
        actual: array instanceof NdArray ? `shape [${array.shape.join(", ")}]` : typeof array,
        expected: `${axes} axes`,
        fix,
      });
    const values = array.data as ArrayLike<number | bigint>;
    const ids = Int32Array.from(values, Number);
    const wrong = ids.findIndex((id, i) => id !== Number(values[i]) || id < 0);
    if (wrong >= 0)
      throw new EngineError("bad-input", `${key} holds a value that is not a token id`, {
        where,
        expected: "integers ≥ 0",
        actual: values[wrong],
        fix,
      });
    return new NdArray(ids, array.shape);
  };
  return {
    semantic_prompt: prompt("semantic_prompt"),
    coarse_prompt: prompt("coarse_prompt"),
    fine_prompt: prompt("fine_prompt"),
  };
}

const readRow = readArray([1], checkIds);
const readCodes = readArray([2], checkIds);

/**
 * A voice from the results of the three stages for one text, in suno's layout: semantic tokens without end of speech and
 * padding, coarse codes by codebook (the first rows of the fine ones: suno refuses codes beyond a codebook), fine codes.
 * @param semantic answer of the semantic stage. @param coarse interleaved ids of the coarse vocabulary.
 * @param fine codes, [codebooks, frames]. @throws EngineError `usage` for what is not of one text.
 */
export function voicePromptFromRun(
  semantic: ArrayInput,
  coarse: ArrayInput,
  fine: ArrayInput,
  numbers: {
    semantic_pad_token: number;
    semantic_vocab_size: number;
    n_coarse_codebooks: number;
    codebook_size: number;
  },
): HistoryPrompt {
  for (const name of ["semantic_pad_token", "semantic_vocab_size", "n_coarse_codebooks", "codebook_size"] as const)
    readInteger(name.startsWith("semantic") ? 0 : 1)((numbers as typeof numbers | undefined)?.[name], name);
  const { semantic_pad_token, n_coarse_codebooks: books } = numbers;
  const tokens = Int32Array.from(readRow(semantic, "semantic").data).filter((id) => id !== semantic_pad_token);
  const ids = readRow(coarse, "coarse").data;
  const codesOfAll = readCodes(fine, "fine");
  const frames = Math.floor(ids.length / books);
  const codes = new Int32Array(books * frames);
  for (let t = 0; t < frames; t++)
    for (let q = 0; q < books; q++) codes[q * frames + t] = codeOf(ids[t * books + q], numbers);
  return {
    semantic_prompt: new NdArray(tokens, [tokens.length]),
    coarse_prompt: new NdArray(codes, [books, frames]),
    fine_prompt: new NdArray(Int32Array.from(codesOfAll.data), codesOfAll.shape),
  };
}
