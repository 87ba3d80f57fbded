import { nullOr, readInteger, readNumber } from "../../../engine/check/arguments.ts";
import { EngineError } from "../../../engine/errors.ts";
import type { NdArray } from "../../../engine/ndarray.ts";
import type { CausalGenerationConfig } from "../../config/generation_config.ts";
import {
  fieldDefaults,
  fieldReaders,
  type CausalArguments,
  type LogitsCallback,
  type StoppingCallback,
} from "./keywords.ts";

/** {@link StageKwargs}, checked and converted. */
export type StageArguments = CausalArguments & {
  max_new_tokens?: number | null;
  min_eos_p?: number | null;
  attention_mask?: NdArray | null;
};

/** How a causal stage picks a token; nothing is left to defaults. */
export interface SamplingOptions {
  do_sample: boolean;
  /** Above 0; 1 leaves the scores as they are. */
  temperature: number;
  /** 0: off. */
  top_k: number;
  /** 1: off. */
  top_p: number;
}

type Filled = {
  [K in keyof CausalArguments as Exclude<K, keyof SamplingOptions>]-?: Exclude<CausalArguments[K], undefined>;
};

/** All that a causal stage follows. null: off. */
export interface CausalOptions extends SamplingOptions, Omit<Filled, keyof NeverNull>, NeverNull {}

interface NeverNull {
  num_beams: number;
  num_return_sequences: number;
  length_penalty: number;
  early_stopping: boolean | "never";
  renormalize_logits: boolean;
  remove_invalid_values: boolean;
  output_scores: boolean;
  return_dict_in_generate: boolean;
  logits_processor: readonly LogitsCallback[];
  stopping_criteria: readonly StoppingCallback[];
}

/** The stages whose keywords carry its name. */
export type Stage = "semantic" | "coarse" | "fine";

export const settings = {
  ...fieldReaders,
  max_new_tokens: nullOr(readInteger(1)),
  min_eos_p: nullOr(readNumber("a probability", (value) => value >= 0)),
};

/** Keywords of a causal stage completed from its config. @throws EngineError `usage`, `bad-input` for the config. */
export function resolveCausal(
  stage: "semantic" | "coarse",
  kwargs: StageArguments,
  config: CausalGenerationConfig,
): CausalOptions {
  // null from the caller is "off"; null in the config is "not set".
  const fields = config as { readonly [key in Field]?: unknown };
  const get = <K extends Field>(key: K): Value<K> =>
    (kwargs[key] !== undefined ? kwargs[key] : (configured(stage, fields, key) ?? defaultOf(key))) as Value<K>;
  const unless = <K extends Field>(key: K, isOff: (value: NonNullable<Value<K>>) => boolean): Value<K> | null => {
    const value = get(key);
    return value === null || isOff(value) ? null : value;
  };
  const isZero = (value: number): boolean => value === 0;
  const isOne = (value: number): boolean => value === 1;
  const isEdge = (value: number): boolean => value === 0 || value === 1;
  const do_sample = get("do_sample") ?? false;
  return {
    do_sample,
    // Without sampling these have no effect, and files that hold a temperature of 0 beside do_sample false exist.
    temperature: do_sample ? drawable(stage, kwargs, get("temperature") ?? 1) : 1,
    top_k: (do_sample ? get("top_k") : 0) ?? 0,
    top_p: (do_sample ? get("top_p") : 1) ?? 1,
    min_p: do_sample ? unless("min_p", isZero) : null,
    top_h: do_sample ? get("top_h") : null,
    typical_p: do_sample ? unless("typical_p", isOne) : null,
    epsilon_cutoff: do_sample ? unless("epsilon_cutoff", isEdge) : null,
    eta_cutoff: do_sample ? unless("eta_cutoff", isEdge) : null,
    repetition_penalty: unless("repetition_penalty", isOne),
    encoder_repetition_penalty: unless("encoder_repetition_penalty", isOne),
    no_repeat_ngram_size: unless("no_repeat_ngram_size", isZero),
    encoder_no_repeat_ngram_size: unless("encoder_no_repeat_ngram_size", isZero),
    bad_words_ids: get("bad_words_ids"),
    sequence_bias: get("sequence_bias"),
    suppress_tokens: get("suppress_tokens"),
    begin_suppress_tokens: get("begin_suppress_tokens"),
    forced_bos_token_id: get("forced_bos_token_id"),
    forced_eos_token_id: get("forced_eos_token_id"),
    min_length: unless("min_length", isZero),
    min_new_tokens: get("min_new_tokens"),
    max_length: get("max_length"),
    max_time: get("max_time"),
    eos_token_id: get("eos_token_id"),
    pad_token_id: get("pad_token_id"),
    exponential_decay_length_penalty: get("exponential_decay_length_penalty"),
    renormalize_logits: get("renormalize_logits") ?? false,
    remove_invalid_values: get("remove_invalid_values") ?? false,
    num_beams: get("num_beams") ?? 1,
    num_return_sequences: get("num_return_sequences") ?? 1,
    length_penalty: get("length_penalty") ?? 1,
    early_stopping: get("early_stopping") ?? false,
    output_scores: get("output_scores") ?? false,
    return_dict_in_generate: get("return_dict_in_generate") ?? false,
    logits_processor: kwargs.logits_processor ?? [],
    stopping_criteria: kwargs.stopping_criteria ?? [],
    prefix_allowed_tokens_fn: kwargs.prefix_allowed_tokens_fn ?? null,
  };
}

type Field = keyof typeof fieldReaders;
type Value<K extends Field> = Exclude<CausalArguments[K], undefined>;

function defaultOf(key: Field): unknown {
  return Object.hasOwn(fieldDefaults, key) ? fieldDefaults[key as keyof typeof fieldDefaults] : null;
}

type Setting = keyof typeof settings;

/** A setting of the generation config, whose fields anybody may change. @throws EngineError `bad-input` if it is wrong. */
export function configured<K extends Setting>(
  stage: Stage,
  config: { readonly [key in K]?: unknown },
  key: K,
): ReturnType<(typeof settings)[K]> {
  try {
    return settings[key](config[key] ?? null, key) as ReturnType<(typeof settings)[K]>;
  } catch (cause) {
    const { expected, actual } = cause as EngineError;
    throw new EngineError("bad-input", `wrong value of ${key}`, { where: inConfig(stage), expected, actual });
  }
}

/** @throws EngineError for a temperature of 0, which blames the caller for a keyword and the checkpoint for its config. */
export function drawable(stage: Stage, kwargs: StageArguments, temperature: number): number {
  if (temperature > 0) return temperature;
  const fromCaller = kwargs.temperature !== undefined;
  throw new EngineError(fromCaller ? "usage" : "bad-input", "no token can be drawn at this temperature", {
    where: fromCaller ? `${stage}_temperature` : inConfig(stage),
    expected: "a number above 0 (greedy is do_sample: false, of the fine stage null)",
    actual: temperature,
  });
}

function inConfig(stage: Stage): string {
  return `generation config, ${stage} stage`;
}
