import { isPlainObject, readInteger, refuseMore, wrongArgument } from "../../engine/check/arguments.ts";
import { EngineError } from "../../engine/errors.ts";
import type { JsonObject } from "../../engine/check/json_fields.ts";
import { Memo } from "../../engine/memo.ts";
import { noticeOf, type OnNotice } from "../../engine/notice.ts";
import { SubfolderStore } from "../../checkpoint/stores/subfolder.ts";
import type { FileStore } from "../../checkpoint/stores/file_store.ts";
import { BarkGenerationConfig } from "../config/generation_config.ts";
import type { BarkCheckpoint } from "../load/bark_checkpoint.ts";
import type { PushToHubOptions } from "../load/push_to_hub.ts";
import { nameOf, openCheckpoint, type CheckpointSource } from "../load/open_checkpoint.ts";
import type { BatchVoice, HistoryPrompt } from "../voice/history_prompt.ts";
import type { VoiceOptions } from "../voice/voice_options.ts";
import { VoicePresets, type VoicePreset } from "../voice/voices.ts";
import { Callable } from "../callable.ts";
import {
  readPreset,
  readProcessorFrom,
  readProcessorOptions,
  readVoiceOptions,
  usage,
  type BarkBatchInputs,
  type BarkInputLists,
  type BarkInputs,
  type ListOptions,
  type ProcessorArguments,
  type ProcessorFrom,
  type ProcessorOptions,
  type VoicePerText,
} from "./processor_options.ts";
import type { SaveProcessorOptions } from "./save_processor.ts";
import type { TextInput } from "./text_rows.ts";
import type { BarkTokenizer, Truncation } from "./tokenizer.ts";

/** Paths of presets within `repo_or_path` (a folder, a URL or a repository on the hub), by name and prompt. */
export type SpeakerEmbeddings = Record<string, Readonly<Record<string, string>> | string>;

interface Call {
  (text: TextInput, options: ListOptions): Promise<BarkInputLists>;
  (text: TextInput, options: VoicePerText): Promise<BarkBatchInputs>;
  (text: TextInput, options?: ProcessorOptions): Promise<BarkInputs>;
}

/** Turns text and a voice into the inputs of a model: `await processor(text, { voice_preset })`. */
export interface BarkProcessor extends Call {
  readonly tokenizer: BarkTokenizer;
  /** The index of the presets, as in the checkpoint; null without one. */
  readonly speaker_embeddings: SpeakerEmbeddings | null;
  /** Names of the presets. */
  readonly available_voice_presets: string[];
  /** A voice by name, path, bytes or arrays. @throws EngineError `bad-input` if it is missing or no voice. */
  loadVoice(preset: VoicePreset, options?: VoiceOptions): Promise<HistoryPrompt>;
  /** Where a text is cut by a limit of ids, or undefined if it fits. */
  truncation(text: string, limit: number): Truncation | undefined;
  /**
   * Writes tokenizer files, presets and their index into a folder, which is made if it is missing.
   * @throws EngineError `io`; `bad-input` if a preset of the index cannot be read.
   */
  save_pretrained(save_directory: string, options?: SaveProcessorOptions): Promise<void>;
  /**
   * Uploads the same files to a repository on the hub, as one commit, through `@huggingface/hub`.
   * @returns the address of the commit. @throws EngineError `usage` without a token or that package; `bad-input`, `io`.
   */
  push_to_hub(repo_id: string, options?: PushToHubOptions): Promise<string>;
}

export interface ProcessorSettings extends VoiceOptions {
  onNotice?: OnNotice | null;
}

export interface BarkProcessorClass {
  /** @throws EngineError `usage` for anything but a tokenizer and an index of presets. */
  new (
    tokenizer: BarkTokenizer,
    speaker_embeddings?: SpeakerEmbeddings | null,
    settings?: ProcessorSettings,
  ): BarkProcessor;
  /** Reads tokenizer and voice index of a checkpoint. @throws EngineError `bad-input`, `usage` for an option. */
  from_pretrained(source: CheckpointSource, options?: ProcessorFrom): Promise<BarkProcessor>;
}

type AnyOptions = ProcessorOptions | ListOptions | VoicePerText;
type AnyInputs = BarkInputs | BarkInputLists | BarkBatchInputs;

class Processor extends Callable {
  readonly tokenizer: BarkTokenizer;
  readonly #voices: VoicePresets;
  readonly #notice: OnNotice;
  /** Of the text: longer text is cut by the semantic model. */
  #slots = Infinity;

  constructor(
    tokenizer: BarkTokenizer,
    speaker_embeddings: SpeakerEmbeddings | VoicePresets | null = null,
    { onNotice, ...voiceOptions }: ProcessorSettings = {},
  ) {
    super(async (self: Processor, ...given: [TextInput, AnyOptions?, ...never[]]) => await self.#process(...given));
    if (!isTokenizer(tokenizer))
      throw wrongArgument("tokenizer", "a BarkTokenizer", tokenizer, "await AutoTokenizer.from_pretrained(…)");
    this.tokenizer = tokenizer;
    this.#voices = voicesOf(speaker_embeddings, voiceOptions);
    this.#notice = noticeOf(onNotice ?? undefined);
  }

  static async from_pretrained(source: CheckpointSource, given: ProcessorFrom = {}): Promise<BarkProcessor> {
    const { subfolder = "", ...options } = readProcessorFrom(given);
    const top = await openCheckpoint(source, options);
    const store = subfolder === "" ? top : firstOf([new SubfolderStore(top, subfolder), top]);
    const checkpoint = { store, generation_config: await BarkGenerationConfig.from_pretrained(store) };
    return await Processor.of(checkpoint, options, nameOf(source));
  }

  /** @param name what the index calls the checkpoint; transformers puts there what `from_pretrained` was given. */
  static async of(
    checkpoint: Pick<BarkCheckpoint, "store" | "generation_config"> & Partial<BarkCheckpoint>,
    options: ReturnType<typeof readProcessorFrom>,
    name = checkpoint.store.name,
  ): Promise<BarkProcessor> {
    const { store, generation_config, config } = checkpoint;
    // A page that speaks in a worker never loads the tokenizer itself.
    const { BarkTokenizer } = await import("./tokenizer.ts");
    const tokenizer = await BarkTokenizer.read(store, config && { config, generation_config });
    const voices = await VoicePresets.from_pretrained(store, options.speaker_embeddings_dict_path, options);
    if (voices.index?.["repo_or_path"] !== undefined) Object.assign(voices.index, { repo_or_path: name });
    const processor = new Processor(tokenizer, voices, options);
    processor.#slots = generation_config.semantic_config.max_input_semantic_length;
    return processor as unknown as BarkProcessor;
  }

  get speaker_embeddings(): JsonObject | null {
    return this.#voices.index;
  }

  get available_voice_presets(): string[] {
    return this.#voices.names;
  }

  async loadVoice(preset: VoicePreset, options: VoiceOptions = {}): Promise<HistoryPrompt> {
    return await this.#voices.load(readPreset(preset, "voice_preset"), readVoiceOptions(options));
  }

  truncation(text: string, limit: number): Truncation | undefined {
    return this.tokenizer.truncation(text, readInteger(0)(limit, "limit"));
  }

  async save_pretrained(save_directory: string, options: SaveProcessorOptions = {}): Promise<void> {
    // Loaded here: a page, which cannot save, fetches code for nothing.
    const { savePretrained } = await import("../load/push_to_hub.ts");
    await savePretrained(save_directory, options, "processor", (folder, rest) => this.#save(folder, rest));
  }

  async push_to_hub(repo_id: string, options: PushToHubOptions = {}): Promise<string> {
    const { pushToHub } = await import("../load/push_to_hub.ts");
    return await pushToHub(repo_id, options, "processor", (folder) => this.#save(folder, {}));
  }

  async #save(folder: string, options: object): Promise<void> {
    const { saveProcessor } = await import("./save_processor.ts");
    await saveProcessor(this.tokenizer, this.#voices, folder, options);
  }

  async #process(text: TextInput, given: AnyOptions = {}, ...more: never[]): Promise<AnyInputs> {
    refuseMore("the processor", more, usage);
    const options = readProcessorOptions(given);
    // Loaded with the tokenizer: a page that speaks in a worker needs neither.
    const { encodeTexts } = await import("./encode_texts.ts");
    const { inputs, rows } = encodeTexts(this.tokenizer, text, options, this.#slots, this.#notice);
    const voice = await this.#voiceOf(options, rows);
    return { ...inputs, ...(voice === null ? {} : { history_prompt: voice }) } as AnyInputs;
  }

  async #voiceOf({ voice_preset: preset, ...options }: ProcessorArguments, rows: number): Promise<BatchVoice> {
    if (preset === undefined) return null;
    if (!isList(preset)) return await this.#voices.load(preset, options);
    if (preset.length !== rows)
      throw new EngineError("usage", "has another number of voices than there are texts", {
        where: "voice_preset",
        expected: `${rows} voices, one for each text, or one voice for all`,
        actual: preset.length,
      });
    // One voice is read once, and is one object: the stages share its work.
    const voices = new Memo<VoicePreset, HistoryPrompt>();
    const load = async (each: VoicePreset | null): Promise<HistoryPrompt | null> =>
      each === null ? null : await voices.get(each, () => this.#voices.load(each, options));
    return await Promise.all(preset.map(load));
  }
}

export const BarkProcessor = Processor as unknown as BarkProcessorClass;

/** The processor of a checkpoint whose configs are read. @throws EngineError `bad-input`, `usage` for an option. */
export async function processorOf(checkpoint: BarkCheckpoint, given: ProcessorFrom = {}): Promise<BarkProcessor> {
  return await Processor.of(checkpoint, readProcessorFrom(given));
}

function isList(preset: NonNullable<ProcessorArguments["voice_preset"]>): preset is readonly (VoicePreset | null)[] {
  return Array.isArray(preset);
}

/** By its methods: its class would be loaded where nobody needs it. */
function isTokenizer(value: unknown): boolean {
  const { encode, offsets, saveTo } = (value ?? {}) as Partial<BarkTokenizer>;
  return [encode, offsets, saveTo].every((method) => typeof method === "function");
}

function voicesOf(given: SpeakerEmbeddings | VoicePresets | null, options: VoiceOptions): VoicePresets {
  if (given instanceof VoicePresets) return given;
  if (given === null || isPlainObject(given)) return VoicePresets.ofIndex(given, readVoiceOptions(options));
  throw wrongArgument("speaker_embeddings", "an object of presets by name, or null", given);
}

/** Each file from the first store that has it: transformers reads the index alone from a subfolder. */
function firstOf(stores: readonly [FileStore, FileStore]): FileStore {
  const [first, second] = stores;
  return { name: first.name, open: async (path) => (await first.open(path)) ?? (await second.open(path)) };
}
