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
  type Reader,
  type ReadersOf,
  type Unsupported,
} from "../../engine/check/arguments.ts";
import type { NdArray } from "../../engine/ndarray.ts";
import { checkpointReaders, checkpointRules } from "../load/load_arguments.ts";
import type { CheckpointOptions } from "../load/load_options.ts";
import type { HistoryPrompt } from "../voice/history_prompt.ts";
import { voiceReaders, type VoiceOptions } from "../voice/voice_options.ts";
import type { VoicePreset } from "../voice/voices.ts";
import type { TruncationStrategy } from "./encoding.ts";

export interface ProcessorOptions extends VoiceOptions {
  /** A preset's name, the path of an `.npz`, its bytes, or the three arrays: the same voice for every text. */
  voice_preset?: VoicePreset | null;
  /** A second text for each, which follows it. */
  text_pair?: string | readonly (string | readonly string[])[] | null;
  /** `text` is a list of words, or a list of such lists. Default false: a list is a batch. */
  is_split_into_words?: boolean | null;
  /** Shorter text is padded to this many ids on its right. Default 256, Bark's number of text slots. */
  max_length?: number;
  /** Cut longer text here; true is "longest_first". Default false: the semantic model cuts to the slots of its checkpoint. */
  truncation?: boolean | TruncationStrategy | null;
  /** [CLS] and [SEP] around the text; Bark was trained without. Default false. */
  add_special_tokens?: boolean;
  /** Default true. Without a mask Bark takes padding for text. */
  return_attention_mask?: boolean | null;
  /** 1 for a second text. Default false; null is true, as in transformers. */
  return_token_type_ids?: boolean | null;
  /** 1 for padding and special tokens. Default false. */
  return_special_tokens_mask?: boolean | null;
  /** Where each id comes from in its text, in code points. Default false. */
  return_offsets_mapping?: boolean | null;
  /** How many ids each row has, padding included. Default false. */
  return_length?: boolean | null;
  /** "pt" and "np": an {@link NdArray} in both cases. Plain lists: {@link ListOptions}. */
  return_tensors?: "pt" | "np";
}

/** Beyond transformers, which takes one voice a batch: one (null: none) for each text. */
export interface VoicePerText extends Omit<ProcessorOptions, "voice_preset"> {
  voice_preset: readonly (VoicePreset | null)[];
}

/** Plain lists in place of arrays. */
export interface ListOptions extends Omit<ProcessorOptions, "return_tensors"> {
  return_tensors: null;
}

/** What `BarkModel.generate` takes, and what was asked for beside it. */
export interface BarkInputs {
  /** Ids of the tokenizer. [batch, length] int32 */
  input_ids: NdArray<Int32Array<ArrayBuffer>>;
  /** 1 for text, 0 for padding. [batch, length] int32 */
  attention_mask?: NdArray<Int32Array<ArrayBuffer>>;
  token_type_ids?: NdArray<Int32Array<ArrayBuffer>>;
  special_tokens_mask?: NdArray<Int32Array<ArrayBuffer>>;
  /** [start, end) of each id. [batch, length, 2] int32 */
  offset_mapping?: NdArray<Int32Array<ArrayBuffer>>;
  /** [batch] int32 */
  length?: NdArray<Int32Array<ArrayBuffer>>;
  history_prompt?: HistoryPrompt;
}

/** The same with a voice for each text. */
export interface BarkBatchInputs extends Omit<BarkInputs, "history_prompt"> {
  history_prompt: readonly (HistoryPrompt | null)[];
}

export type NestedLists<T> = T[] | T[][];

/** The same with `return_tensors: null`: a list for one text, a list of lists for a batch. */
export interface BarkInputLists {
  input_ids: NestedLists<number>;
  attention_mask?: NestedLists<number>;
  token_type_ids?: NestedLists<number>;
  special_tokens_mask?: NestedLists<number>;
  offset_mapping?: NestedLists<[number, number]>;
  length?: number[];
  history_prompt?: HistoryPrompt;
}

export interface ProcessorFrom extends CheckpointOptions, VoiceOptions {
  /** Index of the presets within the checkpoint; null: no presets. */
  speaker_embeddings_dict_path?: string | null;
}

export const usage = "give processor(text, { voice_preset, … })";

// What transformers passes on to its tokenizer beside these.
const unsupported: Unsupported = {
  pad_to_multiple_of: [[null]],
  // transformers gives it itself and fails with "multiple values", whatever the value.
  padding: [[], "every text is padded to max_length"],
  padding_side: [["right", null]],
  return_overflowing_tokens: [[false, null], "split the text"],
  split_special_tokens: [[false, null]],
  stride: [[0, null]],
  text_pair_target: [[null]],
  text_target: [[null]],
  tokenizer_kwargs: [[null], "give them beside the text"],
  verbose: [[true, false, null]],
};

// A larger number would only fail when its array is made.
const mostIds = 2 ** 20;

const isVoice = (value: unknown): boolean =>
  (typeof value === "string" && value !== "") ||
  value instanceof Uint8Array ||
  value instanceof ArrayBuffer ||
  isPlainObject(value);
export const readPreset = reader<VoicePreset>(
  "a preset's name, the path of an .npz, its bytes or its three arrays",
  isVoice,
);

const readPresets: Reader<VoicePreset | readonly (VoicePreset | null)[]> = (value, name) =>
  Array.isArray(value)
    ? value.map((item, row) => nullOr(readPreset)(item, `${name}[${row}]`))
    : readPreset(value, name);

const readStrategy = readOneOf<TruncationStrategy>("longest_first", "only_first", "only_second", "do_not_truncate");
const readTruncation: Reader<TruncationStrategy> = (value, name) => {
  if (typeof value === "boolean") return value ? "longest_first" : "do_not_truncate";
  return readStrategy(value, name);
};

export const readProcessorOptions = argumentsOf(
  "the processor",
  {
    ...voiceReaders,
    voice_preset: noneOr(readPresets),
    text_pair: noneOr(reader<unknown>("a text, or a list of them", (v) => typeof v === "string" || Array.isArray(v))),
    is_split_into_words: noneOr(readBoolean),
    max_length: readInteger(1, mostIds),
    truncation: noneOr(readTruncation),
    add_special_tokens: readBoolean,
    return_attention_mask: noneOr(readBoolean),
    return_token_type_ids: nullOr(readBoolean),
    return_special_tokens_mask: noneOr(readBoolean),
    return_offsets_mapping: noneOr(readBoolean),
    return_length: noneOr(readBoolean),
    return_tensors: nullOr(readOneOf("pt", "np")),
  } satisfies ReadersOf<ProcessorOptions>,
  { unsupported, usage },
);
export type ProcessorArguments = ReturnType<typeof readProcessorOptions>;

export const readProcessorFrom = argumentsOf(
  "from_pretrained",
  {
    ...checkpointReaders,
    ...voiceReaders,
    speaker_embeddings_dict_path: nullOr(readString),
  } satisfies ReadersOf<ProcessorFrom>,
  checkpointRules,
);
export const readVoiceOptions = argumentsOf("loadVoice", voiceReaders);
