import { nullOr, type Reader, type Unsupported } from "../../../engine/check/arguments.ts";
import { checkMask, readArray, type ArrayInput } from "../../../engine/check/array_argument.ts";
import { EngineError } from "../../../engine/errors.ts";
import type { NdArray } from "../../../engine/ndarray.ts";
import type {
  BarkCoarseGenerationConfig,
  BarkFineGenerationConfig,
  BarkGenerationConfig,
  BarkSemanticGenerationConfig,
} from "../../config/generation_config.ts";
import {
  configured,
  drawable,
  resolveCausal,
  settings,
  type CausalOptions,
  type Stage,
  type StageArguments,
} from "./causal_options.ts";
import { causalReaders, type CausalKwargs } from "./keywords.ts";
import { checkCombinations } from "./option_checks.ts";

/** Keywords of one stage. null is python's None: off. */
export interface StageKwargs extends CausalKwargs {
  /** null: as far as `max_length` goes, or 20 tokens. */
  max_new_tokens?: number | null;
  min_eos_p?: number | null;
  /** 1 (or true) for text, 0 (or false) for padding. [batch, length] */
  attention_mask?: ArrayInput | null;
}

type Prefixed<P extends string> = { [K in keyof StageKwargs as `${P}_${K}`]?: StageKwargs[K] };

/**
 * Keywords of `BarkModel.generate` for the stages. A key with the prefix `semantic_`, `coarse_` or `fine_` goes to that stage
 * and wins over the same key without one, which goes to all three; `attention_mask` and `min_eos_p` go to semantic alone.
 * The fine stage looks at its temperature alone.
 */
export type GenerateKwargs = Omit<StageKwargs, "max_new_tokens"> &
  Prefixed<"semantic"> &
  Prefixed<"coarse"> &
  Prefixed<"fine">;

export interface SemanticOptions extends CausalOptions {
  max_new_tokens: number;
  /** null: off. */
  min_eos_p: number | null;
  attention_mask: NdArray | null;
}

export type CoarseOptions = CausalOptions;

export interface FineOptions {
  /** null: argmax. */
  temperature: number | null;
}

const attention_mask = nullOr(readArray([2], checkMask));
const { max_new_tokens, min_eos_p } = settings;
export const stageReaders = {
  semantic: { ...causalReaders, max_new_tokens, min_eos_p, attention_mask },
  coarse: causalReaders,
  fine: { ...causalReaders, max_new_tokens },
};

const stages = Object.keys(stageReaders) as Stage[];

/** `BarkModel.generate` leaves it out, as in transformers: a model has the configs of its stages. */
const generation_config = (): undefined => undefined;

/** Readers of all keywords that go to stages. */
export const keywordReaders: Readonly<Record<string, Reader<unknown>>> = {
  ...causalReaders,
  min_eos_p,
  attention_mask,
  generation_config,
  ...Object.fromEntries(
    stages.flatMap((stage) =>
      Object.entries<Reader<unknown>>({ ...stageReaders[stage], generation_config }).map(([key, read]) => [
        `${stage}_${key}`,
        read,
      ]),
    ),
  ),
};

const off = [false, null] as const;
const none = [null] as const;
const setsLength = "the coarse stage sets it itself: give semantic_max_new_tokens";
const notHere = "transformers fetches it from the hub: it is no part of the library";
const otherModel = "it changes the speed alone: leave it out";

/** Of transformers' generation; refused there too, or of no use without Python. */
export const notThere: Unsupported = {
  assistant_model: [none, otherModel],
  cache_implementation: [none, "the cache is always on the GPU"],
  constraints: [none, notHere],
  custom_generate: [none, notHere],
  diversity_penalty: [[0, null], notHere],
  dola_layers: [none, notHere],
  force_words_ids: [none, notHere],
  guidance_scale: [[1, null]],
  max_new_tokens: [none, setsLength],
  num_beam_groups: [[1, null], notHere],
  penalty_alpha: [none, notHere],
  prompt_lookup_num_tokens: [none, otherModel],
  stop_strings: [none, "semantic tokens are not text: give eos_token_id or stopping_criteria"],
  streamer: [none, "give on_progress"],
  synced_gpus: [off],
  token_healing: [off],
  token_type_ids: [none],
  watermarking_config: [none],
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

/** Keywords of the semantic stage completed from its config, `min_eos_p` included. @param inputLength ids of its input. */
export function resolveSemantic(kwargs: StageArguments, config: BarkSemanticGenerationConfig): SemanticOptions {
  const { max_new_tokens = configured("semantic", config, "max_new_tokens"), attention_mask = null } = kwargs;
  const { min_eos_p = configured("semantic", config, "min_eos_p") } = kwargs;
  const options = checkCombinations("semantic", resolveCausal("semantic", kwargs, config));
  return {
    ...options,
    // Bark's own processor takes the place of the caller's, in transformers, too: they are of one class.
    suppress_tokens: null,
    max_new_tokens: max_new_tokens ?? lengthOf(options.max_length, config.max_input_semantic_length + 1),
    min_eos_p: min_eos_p === 0 ? null : min_eos_p,
    attention_mask,
  };
}

/** Tokens to generate where only `max_length` says how many, or nothing: then 20, as in transformers. */
function lengthOf(maxLength: number | null, inputLength: number): number {
  if (maxLength === null) return 20;
  if (maxLength > inputLength) return maxLength - inputLength;
  throw new EngineError("usage", "is not above the length of the input", {
    where: "semantic_max_length",
    expected: `above ${inputLength} (max_input_semantic_length + 1)`,
    actual: maxLength,
  });
}

/** Keywords of the coarse stage completed from its config. */
export function resolveCoarse(kwargs: StageArguments, config: BarkCoarseGenerationConfig): CoarseOptions {
  return checkCombinations("coarse", resolveCausal("coarse", kwargs, config));
}

/** The fine stage looks at its temperature alone: null or 1 makes it greedy, `do_sample: false` does not. */
export function resolveFine(kwargs: StageArguments, config: BarkFineGenerationConfig): FineOptions {
  const { temperature = configured("fine", config, "temperature") } = kwargs;
  return { temperature: temperature === null || temperature === 1 ? null : drawable("fine", kwargs, temperature) };
}
