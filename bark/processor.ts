import { EngineError } from "../engine/errors.ts";
import type { FileStore } from "../engine/file_store.ts";
import { NdArray } from "../engine/ndarray.ts";
import { saveProcessor, type SaveProcessorOptions } from "./save_processor.ts";
import { openCheckpoint, type CheckpointOptions, type CheckpointSource } from "./store.ts";
import { BarkTokenizer, type Truncation } from "./tokenizer.ts";
import { VoicePresets, type HistoryPrompt, type VoiceOptions, type VoicePreset } from "./voices.ts";

export interface ProcessorOptions extends VoiceOptions {
  /** A preset's name, the path of an `.npz`, its bytes, or the three arrays; the same voice for every text. */
  voice_preset?: VoicePreset | null;
  /** Shorter text is padded to this many ids on its right. Default 256, Bark's number of text slots. */
  max_length?: number;
  /** Cut longer text here. Default false: `semantic.generate` cuts to the slots of its checkpoint. */
  truncation?: boolean;
  /** [CLS] and [SEP] around the text; Bark was trained without. Default false. */
  add_special_tokens?: boolean;
  /** Default true. Without a mask Bark takes padding for text. */
  return_attention_mask?: boolean;
  /** Default false. */
  return_token_type_ids?: boolean;
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
  /** Index of the presets within the checkpoint. */
  speaker_embeddings_dict_path?: string;
}

export const BarkProcessor = {
  /** Reads tokenizer and voice index of a checkpoint. @throws EngineError `bad-input`. */
  async from_pretrained(source: CheckpointSource, options: ProcessorFrom = {}): Promise<BarkProcessor> {
    const store = await openCheckpoint(source, options);
    const tokenizer = await BarkTokenizer.from_pretrained(store);
    const voices = await VoicePresets.from_pretrained(store, options.speaker_embeddings_dict_path, options);
    return createProcessor(tokenizer, voices, store);
  },
};

function createProcessor(tokenizer: BarkTokenizer, voices: VoicePresets, store: FileStore): BarkProcessor {
  const process = async (text: string | readonly string[], options: ProcessorOptions = {}): Promise<BarkInputs> => {
    const inputs = encodeTexts(tokenizer, requireTexts(text), options);
    const { voice_preset = null } = options;
    return voice_preset === null ? inputs : { ...inputs, history_prompt: await voices.load(voice_preset, options) };
  };
  return Object.assign(process, {
    tokenizer,
    available_voice_presets: voices.names,
    loadVoice: (preset: VoicePreset, options?: VoiceOptions) => voices.load(preset, options),
    truncation: (text: string, limit: number) => tokenizer.truncation(text, limit),
    save_pretrained: (save_directory: string, options: SaveProcessorOptions = {}) =>
      saveProcessor(store, voices, save_directory, options),
  });
}

function requireTexts(text: unknown): string[] {
  const texts: unknown[] = Array.isArray(text) ? text : [text];
  if (texts.length > 0 && texts.every((item) => typeof item === "string")) return texts;
  throw new EngineError("usage", "text must be a string or a list of at least one string", {
    where: "text",
    expected: "string",
    actual:
      Array.isArray(text) && text.length === 0 ? "an empty list" : typeof texts.find((t) => typeof t !== "string"),
  });
}

function encodeTexts(tokenizer: BarkTokenizer, texts: readonly string[], options: ProcessorOptions): BarkInputs {
  const { max_length = 256, truncation = false, return_attention_mask = true } = options;
  if (!Number.isInteger(max_length) || max_length < 1)
    throw new EngineError("usage", "wrong value", {
      where: "max_length",
      expected: "an integer ≥ 1",
      actual: max_length,
    });
  const rows = texts.map((text) => encodeText(tokenizer, text, options.add_special_tokens === true));
  const cut = truncation ? rows.map((ids) => ids.slice(0, max_length)) : rows;
  const width = Math.max(max_length, ...cut.map((ids) => ids.length));
  const uneven = width > max_length ? cut.find((ids) => ids.length !== width) : undefined;
  if (uneven !== undefined)
    throw new EngineError("usage", "texts of a batch come out in different lengths", {
      where: "text",
      expected: `at most ${max_length} ids each (max_length)`,
      actual: `${Math.max(uneven.length, max_length)} and ${width}`,
      fix: "give truncation: true, or split the long text",
    });
  const shape = [texts.length, width];
  const input_ids = new NdArray(new Int32Array(texts.length * width).fill(tokenizer.pad_token_id), shape);
  const attention_mask = new NdArray(new Int32Array(texts.length * width), shape);
  for (const [row, ids] of cut.entries()) {
    input_ids.data.set(ids, row * width);
    attention_mask.data.fill(1, row * width, row * width + ids.length);
  }
  return {
    input_ids,
    ...(return_attention_mask ? { attention_mask } : {}),
    ...(options.return_token_type_ids === true
      ? { token_type_ids: new NdArray(new Int32Array(texts.length * width), shape) }
      : {}),
  };
}

function encodeText(tokenizer: BarkTokenizer, text: string, withSpecialTokens: boolean): number[] {
  const ids = tokenizer.encode(text);
  const { cls_token_id: cls, sep_token_id: sep } = tokenizer;
  return withSpecialTokens && cls !== undefined && sep !== undefined ? [cls, ...ids, sep] : ids;
}
