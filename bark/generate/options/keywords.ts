import {
  noneOr,
  nullOr,
  readBoolean,
  reader,
  readInteger,
  readNumber,
  wrongArgument,
  type Reader,
} from "../../../engine/check/arguments.ts";
import type { NdArray } from "../../../engine/ndarray.ts";
import type { SequenceBias } from "../logits/words.ts";

/**
 * Changes scores [rows, vocabulary] of the next token, in place or by answering others, from the ids [rows, length] so far,
 * the input's included. With beams the scores are log-probabilities.
 */
export type LogitsCallback = (
  input_ids: NdArray<Int32Array>,
  scores: NdArray<Float32Array>,
) => NdArray<Float32Array> | Promise<NdArray<Float32Array>>;

/**
 * Whether to stop after the ids [rows, length] so far: all rows, or a value for each. `scores` holds those of every step,
 * each [rows, vocabulary], or is null without `return_dict_in_generate` and `output_scores`, as in transformers.
 */
export type StoppingCallback = (
  input_ids: NdArray<Int32Array>,
  scores: readonly NdArray<Float32Array>[] | null,
) => boolean | readonly boolean[] | Promise<boolean | readonly boolean[]>;

/** The ids that may follow. @param batch_id the row of the input. */
export type PrefixCallback = (batch_id: number, input_ids: readonly number[]) => readonly number[];

/**
 * The keywords of transformers' generation that a causal stage follows; null is python's None, "off". What each does is said
 * in transformers' GenerationConfig. A generation config holds the same fields, without the callbacks.
 */
export interface CausalKwargs {
  do_sample?: boolean | null;
  temperature?: number | null;
  top_k?: number | null;
  top_p?: number | null;
  min_p?: number | null;
  top_h?: number | null;
  typical_p?: number | null;
  epsilon_cutoff?: number | null;
  eta_cutoff?: number | null;
  repetition_penalty?: number | null;
  encoder_repetition_penalty?: number | null;
  no_repeat_ngram_size?: number | null;
  encoder_no_repeat_ngram_size?: number | null;
  bad_words_ids?: readonly (readonly number[])[] | null;
  sequence_bias?: readonly SequenceBias[] | null;
  suppress_tokens?: readonly number[] | null;
  begin_suppress_tokens?: readonly number[] | null;
  forced_bos_token_id?: number | null;
  forced_eos_token_id?: number | readonly number[] | null;
  min_length?: number | null;
  min_new_tokens?: number | null;
  max_length?: number | null;
  /** Seconds. */
  max_time?: number | null;
  eos_token_id?: number | readonly number[] | null;
  pad_token_id?: number | null;
  exponential_decay_length_penalty?: readonly [start: number, factor: number] | null;
  renormalize_logits?: boolean | null;
  remove_invalid_values?: boolean | null;
  num_beams?: number | null;
  num_return_sequences?: number | null;
  length_penalty?: number | null;
  early_stopping?: boolean | "never" | null;
  /** For `stopping_criteria` alone: as in transformers' Bark, what generate answers is the same. */
  output_scores?: boolean | null;
  return_dict_in_generate?: boolean | null;
  logits_processor?: readonly LogitsCallback[] | null;
  stopping_criteria?: readonly StoppingCallback[] | null;
  prefix_allowed_tokens_fn?: PrefixCallback | null;
}

const isId = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isIds = (value: unknown): boolean => Array.isArray(value) && value.every(isId);

const readIds = reader<readonly number[]>("a list of ids", isIds);
/** One id or several. */
const readEnds: Reader<readonly number[]> = (value, name) => {
  if (isId(value)) return [value as number];
  if (isIds(value) && (value as unknown[]).length > 0) return value as number[];
  throw wrongArgument(name, "an id, or a list of at least one", value);
};
const readProbability = readNumber("a number from 0 to 1", (value) => value >= 0 && value <= 1);
const readPenalty = readNumber("a number above 0", (value) => value > 0);
const isFilled = (value: unknown, accepts: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length > 0 && value.every(accepts);
const isPair = (value: unknown): value is readonly [unknown, unknown] => Array.isArray(value) && value.length === 2;

/** A list of functions; a function alone is an error in transformers, too. */
function readFunctions<F>(value: unknown, name: string): readonly F[] {
  if (Array.isArray(value) && value.every((item) => typeof item === "function")) return value as F[];
  throw wrongArgument(name, "a list of functions", value);
}

/** Readers of the keywords that a generation config may hold as well. */
export const fieldReaders = {
  do_sample: noneOr(readBoolean),
  temperature: nullOr(readNumber("a number ≥ 0", (value) => value >= 0)),
  top_k: nullOr(readInteger(0)),
  top_p: nullOr(readProbability),
  min_p: nullOr(readProbability),
  top_h: nullOr(readNumber("a number above 0, at most 1", (value) => value > 0 && value <= 1)),
  typical_p: nullOr(readNumber("a number above 0, at most 1", (value) => value > 0 && value <= 1)),
  epsilon_cutoff: nullOr(readProbability),
  eta_cutoff: nullOr(readProbability),
  repetition_penalty: nullOr(readPenalty),
  encoder_repetition_penalty: nullOr(readPenalty),
  no_repeat_ngram_size: nullOr(readInteger(0)),
  encoder_no_repeat_ngram_size: nullOr(readInteger(0)),
  bad_words_ids: nullOr(
    reader<readonly (readonly number[])[]>("a list of at least one list of ids", (value) => isFilled(value, isIds)),
  ),
  sequence_bias: nullOr(
    reader<readonly SequenceBias[]>("a list of at least one [ids, bias]", (value) =>
      isFilled(value, (item) => isPair(item) && isFilled(item[0], isId) && typeof item[1] === "number"),
    ),
  ),
  suppress_tokens: nullOr(readIds),
  begin_suppress_tokens: nullOr(readIds),
  forced_bos_token_id: nullOr(readInteger(0)),
  forced_eos_token_id: nullOr(readEnds),
  min_length: nullOr(readInteger(0)),
  min_new_tokens: nullOr(readInteger(0)),
  max_length: nullOr(readInteger(1)),
  max_time: nullOr(readNumber("seconds, at least 0", (value) => value >= 0)),
  eos_token_id: nullOr(readEnds),
  pad_token_id: nullOr(readInteger(0)),
  exponential_decay_length_penalty: nullOr(
    reader<readonly [start: number, factor: number]>(
      "[start, factor]: an integer ≥ 0 and a number",
      (value) => isPair(value) && isId(value[0]) && Number.isFinite(value[1]),
    ),
  ),
  renormalize_logits: nullOr(readBoolean),
  remove_invalid_values: nullOr(readBoolean),
  num_beams: nullOr(readInteger(1)),
  num_return_sequences: nullOr(readInteger(1)),
  length_penalty: nullOr(readNumber("a number", () => true)),
  early_stopping: nullOr(
    reader<boolean | "never">(`true, false or "never"`, (value) => typeof value === "boolean" || value === "never"),
  ),
  output_scores: nullOr(readBoolean),
  return_dict_in_generate: nullOr(readBoolean),
} satisfies Readonly<Record<string, Reader<unknown>>>;

const callbackReaders = {
  logits_processor: nullOr(readFunctions<LogitsCallback>),
  stopping_criteria: nullOr(readFunctions<StoppingCallback>),
  prefix_allowed_tokens_fn: nullOr(reader<PrefixCallback>("a function", (value) => typeof value === "function")),
};

// Without effect, as in transformers: the cache is always used, generation configs are those of the model, the answer of
// Bark's stages holds neither attentions nor hidden states, and no input is left out that a first id would stand for.
const inertReaders = {
  use_cache: noneOr(readBoolean),
  generation_config: (): undefined => undefined,
  output_attentions: noneOr(readBoolean),
  output_hidden_states: noneOr(readBoolean),
  output_logits: noneOr(readBoolean),
  bos_token_id: noneOr(readInteger(0)),
};

/** Readers of the keywords of a causal stage. */
export const causalReaders = { ...fieldReaders, ...callbackReaders, ...inertReaders };

/** The values of {@link fieldReaders} and of the callbacks, as they were read. */
export type CausalArguments = {
  [K in keyof typeof fieldReaders | keyof typeof callbackReaders]?: Exclude<
    ReturnType<(typeof causalReaders)[K]>,
    undefined
  >;
};

/** transformers' own values of what neither the caller nor a generation config says; null: off. */
export const fieldDefaults = {
  do_sample: false,
  temperature: 1,
  top_k: 50,
  top_p: 1,
  num_beams: 1,
  num_return_sequences: 1,
  length_penalty: 1,
  early_stopping: false,
} as const;
