import {
  noneOr,
  nullOr,
  readBoolean,
  readInteger,
  readNumber,
  type Reader,
  type Unsupported,
} from "../../engine/check/arguments.ts";
import { checkMask, readArray, type ArrayInput } from "../../engine/check/array_argument.ts";
import { EngineError } from "../../engine/errors.ts";
import type { NdArray } from "../../engine/ndarray.ts";
import type {
  BarkCoarseGenerationConfig,
  BarkFineGenerationConfig,
  BarkGenerationConfig,
  BarkSemanticGenerationConfig,
} from "../config/generation_config.ts";

/** Keywords of one stage. null is python's None: off. */
export interface StageKwargs {
  do_sample?: boolean | null;
  temperature?: number | null;
  top_k?: number | null;
  top_p?: number | null;
  max_new_tokens?: number;
  min_eos_p?: number | null;
  /** 1 (or true) for text, 0 (or false) for padding. [batch, length] */
  attention_mask?: ArrayInput | null;
}

type Prefixed<P extends string> = { [K in keyof StageKwargs as `${P}_${K}`]?: StageKwargs[K] };

/**
 * Sampling keywords of `BarkModel.generate`. A key with the prefix `semantic_`, `coarse_` or `fine_` goes to that stage
 * and wins over the same key without one, which goes to all three; `attention_mask` and `min_eos_p` go to semantic alone.
 */
export type GenerateKwargs = Omit<StageKwargs, "max_new_tokens"> &
  Prefixed<"semantic"> &
  Prefixed<"coarse"> &
  Prefixed<"fine">;

/** {@link StageKwargs}, checked and converted. */
export type StageArguments = Omit<StageKwargs, "attention_mask"> & { attention_mask?: NdArray | null };

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

export interface SemanticOptions extends SamplingOptions {
  max_new_tokens: number;
  /** null: off. */
  min_eos_p: number | null;
  attention_mask: NdArray | null;
}

export type CoarseOptions = SamplingOptions;

export interface FineOptions {
  /** null: argmax. */
  temperature: number | null;
}

// transformers' global default of generation, which applies wherever top_k is not set.
const defaultTopK = 50;

const settings = {
  do_sample: noneOr(readBoolean),
  temperature: nullOr(readNumber("a number ≥ 0", (value) => value >= 0)),
  top_k: nullOr(readInteger(0)),
  top_p: nullOr(readNumber("a number from 0 to 1", (value) => value >= 0 && value <= 1)),
  max_new_tokens: readInteger(1),
  min_eos_p: nullOr(readNumber("a probability", (value) => value >= 0)),
};

const attention_mask = nullOr(readArray([2], checkMask));
const { max_new_tokens, min_eos_p, ...sampling } = settings;
// Without effect, as in transformers: the cache is always used and picking is always by log-probability.
const inert = {
  use_cache: noneOr(readBoolean),
  renormalize_logits: noneOr(readBoolean),
  generation_config: (): undefined => undefined,
};
const stageReaders = {
  semantic: { ...sampling, ...inert, max_new_tokens, min_eos_p, attention_mask },
  coarse: { ...sampling, ...inert },
  fine: { ...sampling, ...inert, max_new_tokens },
};

type Stage = keyof typeof stageReaders;
const stages = Object.keys(stageReaders) as Stage[];

/** Readers of all keywords that go to stages. */
export const keywordReaders: Readonly<Record<string, Reader<unknown>>> = {
  ...sampling,
  ...inert,
  min_eos_p,
  attention_mask,
  ...Object.fromEntries(
    stages.flatMap((stage) =>
      Object.entries<Reader<unknown>>(stageReaders[stage]).map(([key, read]) => [`${stage}_${key}`, read]),
    ),
  ),
};

const off = [false, null] as const;
const none = [null] as const;
const setsLength = "the coarse stage sets it itself: give semantic_max_new_tokens";

// Of transformers' generation.
const notThere: Unsupported = {
  bad_words_ids: [none],
  begin_suppress_tokens: [none],
  bos_token_id: [none],
  constraints: [none],
  diversity_penalty: [[0, null]],
  early_stopping: [off],
  encoder_no_repeat_ngram_size: [[0, null]],
  eos_token_id: [none],
  epsilon_cutoff: [[0, null]],
  eta_cutoff: [[0, null]],
  exponential_decay_length_penalty: [none],
  force_words_ids: [none],
  forced_bos_token_id: [none],
  forced_eos_token_id: [none],
  guidance_scale: [[1, null]],
  length_penalty: [[1, null]],
  logits_processor: [none],
  max_length: [none, setsLength],
  max_new_tokens: [none, setsLength],
  max_time: [none, "give a signal: AbortSignal.timeout(milliseconds)"],
  min_length: [[0, null]],
  min_new_tokens: [[0, null]],
  min_p: [none],
  no_repeat_ngram_size: [[0, null]],
  num_beam_groups: [[1, null]],
  num_beams: [[1, null]],
  num_return_sequences: [[1, null], "repeat the text in the batch"],
  output_attentions: [off, "call forward of a sub-model"],
  output_hidden_states: [off, "call forward of a sub-model"],
  output_logits: [off],
  output_scores: [off],
  pad_token_id: [none],
  penalty_alpha: [none],
  prefix_allowed_tokens_fn: [none],
  prompt_lookup_num_tokens: [none],
  remove_invalid_values: [off],
  repetition_penalty: [[1, null]],
  return_dict_in_generate: [off, "call generate_output"],
  sequence_bias: [none],
  stop_strings: [none],
  stopping_criteria: [none],
  streamer: [none, "give on_progress"],
  suppress_tokens: [none],
  synced_gpus: [off],
  token_type_ids: [none],
  typical_p: [[1, null]],
};

/** Of all stages or, with its prefix, of one. */
export const unsupportedKeywords: Unsupported = Object.fromEntries(
  ["", ...stages.map((stage) => `${stage}_`)]
    .flatMap((prefix) =>
      Object.entries(notThere).map(([key, rule]): [string, Unsupported[string]] => [`${prefix}${key}`, rule]),
    )
    .filter(([key]) => !Object.hasOwn(keywordReaders, key)),
);

/**
 * Distributes the checked keywords of `BarkModel.generate` over the stages (bark-spec 4.1) and completes them from the
 * generation config. As in transformers a `min_eos_p` in the generation config is not used here.
 * @throws EngineError `usage` for a temperature of 0, `bad-input` for a wrong value in the generation config.
 */
export function routeGenerateKwargs(
  kwargs: Readonly<Record<string, unknown>>,
  config: BarkGenerationConfig,
): { semantic: SemanticOptions; coarse: CoarseOptions; fine: FineOptions } {
  const routed = splitKwargs(kwargs);
  return {
    semantic: resolveSemantic({ min_eos_p: null, ...routed.semantic }, config.semantic_config),
    coarse: resolveCoarse(routed.coarse, config.coarse_acoustics_config),
    fine: resolveFine(routed.fine, config.fine_acoustics_config),
  };
}

// A stage takes what it knows: `attention_mask` and `min_eos_p` reach the others, which look at neither.
function splitKwargs(kwargs: Readonly<Record<string, unknown>>): Record<Stage, StageArguments> {
  const own: Record<Stage, Record<string, unknown>> = { semantic: {}, coarse: {}, fine: {} };
  const shared: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(kwargs)) {
    const stage = stages.find((name) => key.startsWith(`${name}_`));
    if (stage !== undefined) own[stage][key.slice(stage.length + 1)] = value;
    else shared[key] = value;
  }
  return {
    semantic: { ...shared, ...own.semantic },
    coarse: { ...shared, ...own.coarse },
    fine: { ...shared, ...own.fine },
  };
}

/** Keywords of the semantic stage completed from its config, `min_eos_p` included. */
export function resolveSemantic(kwargs: StageArguments, config: BarkSemanticGenerationConfig): SemanticOptions {
  const { max_new_tokens = configured("semantic", config, "max_new_tokens"), attention_mask = null } = kwargs;
  const { min_eos_p = configured("semantic", config, "min_eos_p") } = kwargs;
  return {
    ...resolveSampling("semantic", kwargs, config),
    max_new_tokens,
    min_eos_p: min_eos_p === 0 ? null : min_eos_p,
    attention_mask,
  };
}

/** Keywords of the coarse stage completed from its config. */
export function resolveCoarse(kwargs: StageArguments, config: BarkCoarseGenerationConfig): CoarseOptions {
  return resolveSampling("coarse", kwargs, config);
}

/** The fine stage looks at its temperature alone: null or 1 makes it greedy, `do_sample: false` does not. */
export function resolveFine(kwargs: StageArguments, config: BarkFineGenerationConfig): FineOptions {
  const { temperature = configured("fine", config, "temperature") } = kwargs;
  return { temperature: temperature === null || temperature === 1 ? null : drawable("fine", kwargs, temperature) };
}

function resolveSampling(
  stage: Stage,
  kwargs: StageArguments,
  config: BarkSemanticGenerationConfig | BarkCoarseGenerationConfig,
): SamplingOptions {
  const do_sample = kwargs.do_sample ?? configured(stage, config, "do_sample") ?? false;
  // Without sampling these have no effect, and files that hold a temperature of 0 beside do_sample false exist.
  if (!do_sample) return { do_sample, temperature: 1, top_k: 0, top_p: 1 };
  // null from the caller is "off"; null in the config is "not set".
  const { temperature = configured(stage, config, "temperature") } = kwargs;
  const { top_k = configured(stage, config, "top_k") ?? defaultTopK, top_p = configured(stage, config, "top_p") } =
    kwargs;
  return { do_sample, temperature: drawable(stage, kwargs, temperature ?? 1), top_k: top_k ?? 0, top_p: top_p ?? 1 };
}

type Setting = keyof typeof settings;

/** A setting of the generation config, whose fields anybody may change. @throws EngineError `bad-input` if it is wrong. */
function configured<K extends Setting>(
  stage: Stage,
  config: { readonly [key in K]: unknown },
  key: K,
): ReturnType<(typeof settings)[K]> {
  try {
    return settings[key](config[key], key) as ReturnType<(typeof settings)[K]>;
  } catch (cause) {
    const { expected, actual } = cause as EngineError;
    throw new EngineError("bad-input", `wrong value of ${key}`, { where: inConfig(stage), expected, actual });
  }
}

/** @throws EngineError for a temperature of 0, which blames the caller for a keyword and the checkpoint for its config. */
function drawable(stage: Stage, kwargs: StageArguments, temperature: number): number {
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
