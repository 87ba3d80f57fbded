import {
  argumentsOf,
  isPlainObject,
  noneOr,
  nullOr,
  readBoolean,
  reader,
  readInteger,
  readOneOf,
  readString,
  refuseMore,
  wrongArgument,
  type ReadersOf,
  type Unsupported,
} from "../../engine/check/arguments.ts";
import { EngineError } from "../../engine/errors.ts";
import type { FileStore } from "../../checkpoint/stores/file_store.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { BarkGenerationConfig } from "../config/generation_config.ts";
import type { BarkCheckpoint } from "../load/bark_checkpoint.ts";
import { checkpointReaders, checkpointRules } from "../load/load_arguments.ts";
import type { CheckpointOptions } from "../load/load_options.ts";
import { noticeOf, type OnNotice } from "../../engine/notice.ts";
import type { SaveProcessorOptions } from "./save_processor.ts";
import { openCheckpoint, type CheckpointSource } from "../load/open_checkpoint.ts";
import { tellOfTexts } from "./text_notices.ts";
import type { BarkTokenizer, Truncation } from "./tokenizer.ts";
import type { HistoryPrompt } from "../voice/history_prompt.ts";
import { voiceReaders, type VoiceOptions } from "../voice/voice_options.ts";
import { VoicePresets, type VoicePreset } from "../voice/voices.ts";

export interface ProcessorOptions extends VoiceOptions {
  /** A preset's name, the path of an `.npz`, its bytes, or the three arrays; the same voice for every text. */
  voice_preset?: VoicePreset | null;
  /** Shorter text is padded to this many ids on its right. Default 256, Bark's number of text slots. */
  max_length?: number;
  /** Cut longer text here. Default false: the semantic model cuts to the slots of its checkpoint. */
  truncation?: boolean | null;
  /** [CLS] and [SEP] around the text; Bark was trained without. Default false. */
  add_special_tokens?: boolean;
  /** Default true. Without a mask Bark takes padding for text. */
  return_attention_mask?: boolean | null;
  /** Default false. */
  return_token_type_ids?: boolean | null;
  /** As in transformers; the arrays are an {@link NdArray} in any case. */
  return_tensors?: "pt" | "np" | null;
}

/** What `BarkModel.generate` takes. */
export interface BarkInputs {
  /** Ids of the tokenizer. [batch, length] int32 */
  input_ids: NdArray<Int32Array<ArrayBuffer>>;
  /** 1 for text, 0 for padding. [batch, length] int32 */
  attention_mask?: NdArray<Int32Array<ArrayBuffer>>;
  token_type_ids?: NdArray<Int32Array<ArrayBuffer>>;
  history_prompt?: HistoryPrompt;
}

/** Turns text and a voice into the inputs of a model: `await processor(text, { voice_preset })`. */
export interface BarkProcessor {
  (text: string | readonly string[], options?: ProcessorOptions): Promise<BarkInputs>;
  readonly tokenizer: BarkTokenizer;
  /** Names of the presets that come with the checkpoint. */
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
}

export interface ProcessorFrom extends CheckpointOptions, VoiceOptions {
  /** Index of the presets within the checkpoint; null: no presets. */
  speaker_embeddings_dict_path?: string | null;
}

const usage = "give processor(text, { voice_preset, … })";

// transformers passes these on to its tokenizer.
const unsupported: Unsupported = {
  is_split_into_words: [[false, null], "join the words by spaces"],
  pad_to_multiple_of: [[null]],
  padding: [["max_length", null], "every text is padded to max_length"],
  padding_side: [["right", null]],
  return_length: [[false, null]],
  return_offsets_mapping: [[false, null]],
  return_overflowing_tokens: [[false, null]],
  return_special_tokens_mask: [[false, null]],
  stride: [[0, null]],
  text_pair: [[null], "join the texts"],
  text_pair_target: [[null]],
  text_target: [[null]],
  verbose: [[true, false, null]],
};

// A larger number would only fail when its array is made.
const mostIds = 2 ** 20;
const defaultLength = 256;

const isVoice = (value: unknown): boolean =>
  (typeof value === "string" && value !== "") ||
  value instanceof Uint8Array ||
  value instanceof ArrayBuffer ||
  isPlainObject(value);
export const readPreset = reader<VoicePreset>(
  "a preset's name, the path of an .npz, its bytes or its three arrays",
  isVoice,
);

const readProcessorOptions = argumentsOf(
  "the processor",
  {
    ...voiceReaders,
    voice_preset: noneOr(readPreset),
    max_length: readInteger(1, mostIds),
    truncation: noneOr(readBoolean),
    add_special_tokens: readBoolean,
    return_attention_mask: noneOr(readBoolean),
    return_token_type_ids: noneOr(readBoolean),
    return_tensors: noneOr(readOneOf("pt", "np")),
  } satisfies ReadersOf<ProcessorOptions>,
  { unsupported, usage },
);
const readProcessorFrom = argumentsOf(
  "from_pretrained",
  {
    ...checkpointReaders,
    ...voiceReaders,
    speaker_embeddings_dict_path: nullOr(readString),
  } satisfies ReadersOf<ProcessorFrom>,
  checkpointRules,
);
const readVoiceOptions = argumentsOf("loadVoice", voiceReaders);

export const BarkProcessor = {
  /** Reads tokenizer and voice index of a checkpoint. @throws EngineError `bad-input`, `usage` for an option. */
  async from_pretrained(source: CheckpointSource, given: ProcessorFrom = {}): Promise<BarkProcessor> {
    const options = readProcessorFrom(given);
    const store = await openCheckpoint(source, options);
    return await createProcessor(store, await BarkGenerationConfig.from_pretrained(store), options);
  },
};

/** The processor of a checkpoint whose configs are read. @throws EngineError `bad-input`, `usage` for an option. */
export async function processorOf(checkpoint: BarkCheckpoint, given: ProcessorFrom = {}): Promise<BarkProcessor> {
  return await createProcessor(checkpoint.store, checkpoint.generation_config, readProcessorFrom(given), checkpoint);
}

async function createProcessor(
  store: FileStore,
  { semantic_config }: BarkGenerationConfig,
  options: ReturnType<typeof readProcessorFrom>,
  checkpoint?: BarkCheckpoint,
): Promise<BarkProcessor> {
  // A page that speaks in a worker never loads the tokenizer itself.
  const { BarkTokenizer } = await import("./tokenizer.ts");
  const tokenizer = await BarkTokenizer.from_pretrained(store, checkpoint);
  const voices = await VoicePresets.from_pretrained(store, options.speaker_embeddings_dict_path, options);
  const slots = semantic_config.max_input_semantic_length;
  return joinParts({ tokenizer, voices, store, slots, notice: noticeOf(options.onNotice) });
}

interface ProcessorParts {
  readonly tokenizer: BarkTokenizer;
  readonly voices: VoicePresets;
  readonly store: FileStore;
  /** Of the text: longer text is cut by the semantic model. */
  readonly slots: number;
  readonly notice: OnNotice;
}

function joinParts({ tokenizer, voices, store, slots, notice }: ProcessorParts): BarkProcessor {
  const process = async (
    text: string | readonly string[],
    given: ProcessorOptions = {},
    ...more: never[]
  ): Promise<BarkInputs> => {
    refuseMore("the processor", more, usage);
    const options = readProcessorOptions(given);
    const texts = requireTexts(text);
    const rows = texts.map((item) => tokenizer.encode(item));
    const inputs = encodeTexts(tokenizer, rows, options);
    tellOfTexts(tokenizer, texts, rows, keptOf(options, slots), notice);
    if (options.voice_preset === undefined) return inputs;
    return { ...inputs, history_prompt: await voices.load(options.voice_preset, options) };
  };
  return Object.assign(process, {
    tokenizer,
    available_voice_presets: voices.names,
    loadVoice: async (preset: VoicePreset, options: VoiceOptions = {}) =>
      await voices.load(readPreset(preset, "voice_preset"), readVoiceOptions(options)),
    truncation: (text: string, limit: number) => tokenizer.truncation(text, readInteger(0)(limit, "limit")),
    save_pretrained: async (save_directory: string, options: SaveProcessorOptions = {}) => {
      // Loaded here: a page, which cannot save, fetches code for nothing.
      const { saveProcessor } = await import("./save_processor.ts");
      await saveProcessor(store, voices, save_directory, options);
    },
  });
}

function requireTexts(text: unknown): string[] {
  const texts: unknown[] = Array.isArray(text) ? text : [text];
  if (texts.length > 0 && texts.every((item) => typeof item === "string")) return texts;
  const wrong = texts.length === 0 ? text : texts.find((item) => typeof item !== "string");
  throw wrongArgument("text", "a string or a list of at least one string", wrong);
}

type ProcessorArguments = ReturnType<typeof readProcessorOptions>;

/** Ids of a text's own that are kept of at most `slots`, special tokens among them. */
function keptOf({ max_length = defaultLength, ...options }: ProcessorArguments, slots: number): number {
  const special = options.add_special_tokens === true ? 1 : 0;
  return Math.min(slots - special, options.truncation === true ? Math.max(0, max_length - 2 * special) : Infinity);
}

/** @param rows ids of the texts. */
function encodeTexts(tokenizer: BarkTokenizer, rows: readonly number[][], options: ProcessorArguments): BarkInputs {
  const { max_length = defaultLength, return_attention_mask = true } = options;
  const { cls_token_id: cls, sep_token_id: sep } = tokenizer;
  const special = options.add_special_tokens === true && cls !== undefined && sep !== undefined ? [cls, sep] : [];
  // The special tokens are kept, as in transformers.
  const most = options.truncation === true ? Math.max(0, max_length - special.length) : Infinity;
  const cut = rows.map((ids) => [...special.slice(0, 1), ...ids.slice(0, most), ...special.slice(1)]);
  const width = Math.max(max_length, ...cut.map((ids) => ids.length));
  const uneven = width > max_length ? cut.find((ids) => ids.length !== width) : undefined;
  if (uneven !== undefined)
    throw new EngineError("usage", "texts of a batch come out in different lengths", {
      where: "text",
      expected: `at most ${max_length} ids each (max_length)`,
      actual: `${Math.max(uneven.length, max_length)} and ${width}`,
      fix: "give truncation: true, or split the long text",
    });
  const shape = [rows.length, width];
  const filled = (value: number) => new NdArray(new Int32Array(rows.length * width).fill(value), shape);
  const input_ids = filled(tokenizer.pad_token_id);
  const attention_mask = filled(0);
  for (const [row, ids] of cut.entries()) {
    input_ids.data.set(ids, row * width);
    attention_mask.data.fill(1, row * width, row * width + ids.length);
  }
  return {
    input_ids,
    ...(return_attention_mask ? { attention_mask } : {}),
    ...(options.return_token_type_ids === true ? { token_type_ids: filled(0) } : {}),
  };
}
