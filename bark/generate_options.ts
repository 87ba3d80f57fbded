import { EngineError } from "../engine/errors.ts";
import type { NdArray } from "../engine/ndarray.ts";
import type {
  BarkCoarseGenerationConfig,
  BarkFineGenerationConfig,
  BarkGenerationConfig,
  BarkSemanticGenerationConfig,
} from "./generation_config.ts";

/** 1 where the text has a token, 0 where it is padded. [batch, length] */
export type AttentionMask = NdArray | readonly (readonly number[])[];

/** Keywords of one stage. null is python's None: off. */
export interface StageKwargs {
  do_sample?: boolean;
  temperature?: number | null;
  top_k?: number | null;
  top_p?: number | null;
  max_new_tokens?: number;
  min_eos_p?: number | null;
  attention_mask?: AttentionMask | null;
}

type Prefixed<P extends string> = { [K in keyof StageKwargs as `${P}_${K}`]?: StageKwargs[K] };

/**
 * Sampling keywords of `BarkModel.generate`. A key with the prefix `semantic_`, `coarse_` or `fine_` goes to that stage
 * and wins over the same key without one, which goes to all three; `attention_mask` and `min_eos_p` go to semantic alone.
 */
export type GenerateKwargs = StageKwargs & Prefixed<"semantic"> & Prefixed<"coarse"> & Prefixed<"fine">;

/** How a causal stage picks a token, everything decided. */
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
  attention_mask: AttentionMask | null;
}

export type CoarseOptions = SamplingOptions;

export interface FineOptions {
  /** null: argmax. */
  temperature: number | null;
}

// transformers' global default of generation, which applies wherever top_k is not set.
const defaultTopK = 50;

// Accepted and without effect, as in transformers: the cache is always used and picking is always by log-probability.
const inert = ["use_cache", "renormalize_logits", "generation_config"];
const samplingKeys = ["do_sample", "temperature", "top_k", "top_p"];
const stageKeys = {
  semantic: [...samplingKeys, "max_new_tokens", "min_eos_p", "attention_mask"],
  coarse: samplingKeys,
  fine: [...samplingKeys, "max_new_tokens"],
} as const;

type Stage = keyof typeof stageKeys;
const stages = Object.keys(stageKeys) as Stage[];

/**
 * Distributes the keywords of `BarkModel.generate` over the stages (bark-spec 4.1) and completes them from the
 * generation config. As in transformers a `min_eos_p` in the generation config is not used here.
 * @throws EngineError `usage` for a keyword that no stage takes, a wrong value, or `max_new_tokens` without a prefix.
 */
export function routeGenerateKwargs(
  kwargs: GenerateKwargs,
  config: BarkGenerationConfig,
): { semantic: SemanticOptions; coarse: CoarseOptions; fine: FineOptions } {
  const routed = splitKwargs(kwargs);
  return {
    semantic: resolveSemantic({ min_eos_p: null, ...routed.semantic }, config.semantic_config),
    coarse: resolveCoarse(routed.coarse, config.coarse_acoustics_config),
    fine: resolveFine(routed.fine, config.fine_acoustics_config),
  };
}

function splitKwargs(kwargs: GenerateKwargs): Record<Stage, StageKwargs> {
  const own: Record<Stage, Record<string, unknown>> = { semantic: {}, coarse: {}, fine: {} };
  const shared: Record<string, unknown> = {};
  const semanticOnly: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(kwargs)) {
    if (value === undefined) continue;
    const stage = stages.find((name) => key.startsWith(`${name}_`));
    if (stage !== undefined) own[stage][key.slice(stage.length + 1)] = value;
    else if (key === "attention_mask" || key === "min_eos_p") semanticOnly[key] = value;
    else shared[key] = value;
  }
  if (shared["max_new_tokens"] !== undefined)
    throw new EngineError("usage", "the coarse stage sets max_new_tokens itself", {
      where: "max_new_tokens",
      fix: "use semantic_max_new_tokens",
    });
  return {
    semantic: { ...semanticOnly, ...shared, ...own.semantic },
    coarse: { ...shared, ...own.coarse },
    fine: { ...shared, ...own.fine },
  };
}

/** Keywords of the semantic stage completed from its config, `min_eos_p` included. */
export function resolveSemantic(kwargs: StageKwargs, config: BarkSemanticGenerationConfig): SemanticOptions {
  requireKnown("semantic", kwargs);
  const check = checker("semantic", kwargs);
  const { max_new_tokens = config.max_new_tokens, min_eos_p = config.min_eos_p, attention_mask = null } = kwargs;
  check("max_new_tokens", Number.isInteger(max_new_tokens) && max_new_tokens > 0, "an integer above 0", max_new_tokens);
  const isProbability = typeof min_eos_p === "number" && min_eos_p >= 0;
  check("min_eos_p", min_eos_p === null || isProbability, "a probability or null", min_eos_p);
  return {
    ...resolveSampling("semantic", kwargs, config),
    max_new_tokens,
    min_eos_p: min_eos_p === 0 ? null : min_eos_p,
    attention_mask,
  };
}

/** Keywords of the coarse stage completed from its config. */
export function resolveCoarse(kwargs: StageKwargs, config: BarkCoarseGenerationConfig): CoarseOptions {
  requireKnown("coarse", kwargs);
  return resolveSampling("coarse", kwargs, config);
}

/** The fine stage looks only at temperature: `do_sample: false` does not make it greedy, null or 1 does. */
export function resolveFine(kwargs: StageKwargs, config: BarkFineGenerationConfig): FineOptions {
  requireKnown("fine", kwargs);
  const { temperature = config.temperature } = kwargs;
  if (temperature === null || temperature === 1) return { temperature: null };
  checker("fine", kwargs)("temperature", isTemperature(temperature), "a number above 0 or null", temperature);
  return { temperature };
}

function resolveSampling(
  stage: Stage,
  kwargs: StageKwargs,
  config: BarkSemanticGenerationConfig | BarkCoarseGenerationConfig,
): SamplingOptions {
  const check = checker(stage, kwargs);
  const do_sample = kwargs.do_sample ?? config.do_sample;
  check("do_sample", typeof do_sample === "boolean", "true or false", do_sample);
  // Without sampling these have no effect, and files that hold a temperature of 0 beside do_sample false exist.
  if (!do_sample) return { do_sample, temperature: 1, top_k: 0, top_p: 1 };
  // null from the caller is "off"; null in the config is "not set".
  const temperature = (kwargs.temperature === undefined ? config.temperature : kwargs.temperature) ?? 1;
  const top_k = (kwargs.top_k === undefined ? (config.top_k ?? defaultTopK) : kwargs.top_k) ?? 0;
  const top_p = (kwargs.top_p === undefined ? config.top_p : kwargs.top_p) ?? 1;
  check("temperature", isTemperature(temperature), "a number above 0 (greedy is do_sample: false)", temperature);
  check("top_k", Number.isInteger(top_k) && top_k >= 0, "an integer ≥ 0 (0 is off)", top_k);
  check("top_p", typeof top_p === "number" && top_p >= 0 && top_p <= 1, "a number from 0 to 1", top_p);
  return { do_sample, temperature, top_k, top_p };
}

function isTemperature(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value) && value > 0;
}

function requireKnown(stage: Stage, kwargs: StageKwargs): void {
  const known: readonly string[] = [...stageKeys[stage], ...inert];
  const unknown = Object.keys(kwargs).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new EngineError("usage", `the ${stage} stage takes no such keyword`, {
    where: unknown,
    expected: stageKeys[stage].join(", "),
    actual: unknown,
  });
}

type Check = (key: keyof StageKwargs, good: boolean, expected: string, actual: unknown) => void;

/** Blames the caller for a keyword and the checkpoint for a value out of its generation config. */
function checker(stage: Stage, kwargs: StageKwargs): Check {
  return (key, good, expected, actual) => {
    if (good) return;
    const fromCaller = kwargs[key] !== undefined;
    const where = fromCaller ? `${stage}_${key}` : `generation config, ${stage} stage`;
    throw new EngineError(fromCaller ? "usage" : "bad-input", `wrong value of ${key}`, { where, expected, actual });
  };
}
