import {
  argumentsOf,
  noneOr,
  readBoolean,
  readInteger,
  wrongArgument,
  type Reader,
} from "../../../engine/check/arguments.ts";
import { checkIds, readArray, type ArrayInput } from "../../../engine/check/array_argument.ts";
import {
  BarkCoarseGenerationConfig,
  BarkFineGenerationConfig,
  BarkSemanticGenerationConfig,
} from "../../config/generation_config.ts";
import type { HistoryPrompt } from "../../voice/history_prompt.ts";
import { randomSeed, readVoice, runReaders, type BarkGenerateKwargs } from "./generate_arguments.ts";
import { notThere, stageReaders, type StageKwargs } from "./generate_options.ts";
import { placed } from "./placed.ts";
import { StageRun } from "../stage_run.ts";
import type { BarkStage } from "../output.ts";

/** What `generate` of a sub-model takes beside its own places: keywords of a stage, without a prefix, and those of a run. */
export type SubModelKwargs = Omit<StageKwargs, "attention_mask"> &
  Pick<BarkGenerateKwargs, "seed" | "signal" | "on_progress" | "tokens_per_readback">;

export interface SemanticGenerateKwargs extends SubModelKwargs {
  /** Ids of the tokenizer. [batch, length] */
  input_ids: ArrayInput;
  semantic_generation_config: BarkSemanticGenerationConfig;
  history_prompt?: HistoryPrompt | null;
  attention_mask?: ArrayInput | null;
}

export interface CoarseGenerateKwargs extends Omit<SubModelKwargs, "max_new_tokens" | "min_eos_p"> {
  /** What the semantic model answered. [batch, n] */
  semantic_output: ArrayInput;
  semantic_generation_config: BarkSemanticGenerationConfig;
  coarse_generation_config: BarkCoarseGenerationConfig;
  /** Default 1024. */
  codebook_size?: number | null;
  history_prompt?: HistoryPrompt | null;
  return_output_lengths?: boolean | null;
}

export interface FineGenerateKwargs extends SubModelKwargs {
  /** What the coarse model answered. [batch, frames * n_coarse_codebooks] */
  coarse_output: ArrayInput;
  semantic_generation_config: BarkSemanticGenerationConfig;
  coarse_generation_config: BarkCoarseGenerationConfig;
  fine_generation_config: BarkFineGenerationConfig;
  /** Default 1024. */
  codebook_size?: number | null;
  history_prompt?: HistoryPrompt | null;
}

/** What may follow by place, an object of keywords last. */
export type GenerateMore<K> =
  HistoryPrompt | ArrayInput | BarkFineGenerationConfig | number | boolean | Partial<K> | null | undefined;

function readInstance<T>(Config: new () => T): Reader<T> {
  return (value, name) => {
    if (value instanceof Config) return value;
    throw wrongArgument(name, `a ${Config.name}`, value, "give model.generation_config's part of that name");
  };
}

const ids = readArray([2], checkIds);
const voice = noneOr(readVoice);
const codebook_size = noneOr(readInteger(1));
const configs = {
  semantic_generation_config: readInstance(BarkSemanticGenerationConfig),
  coarse_generation_config: readInstance(BarkCoarseGenerationConfig),
  fine_generation_config: readInstance(BarkFineGenerationConfig),
};
const { semantic_generation_config, coarse_generation_config } = configs;

const readSemantic = argumentsOf(
  "generate",
  {
    ...stageReaders.semantic,
    ...runReaders,
    input_ids: ids,
    semantic_generation_config,
    history_prompt: voice,
  },
  { required: ["input_ids", "semantic_generation_config"], unsupported: without(["max_new_tokens"]) },
);

const readCoarse = argumentsOf(
  "generate",
  {
    ...stageReaders.coarse,
    ...runReaders,
    semantic_output: ids,
    semantic_generation_config,
    coarse_generation_config,
    codebook_size,
    history_prompt: voice,
    return_output_lengths: noneOr(readBoolean),
  },
  { required: ["semantic_output", "semantic_generation_config", "coarse_generation_config"], unsupported: notThere },
);

const readFine = argumentsOf(
  "generate",
  {
    ...stageReaders.fine,
    ...runReaders,
    coarse_output: ids,
    ...configs,
    codebook_size,
    history_prompt: voice,
  },
  {
    required: ["coarse_output", "semantic_generation_config", "coarse_generation_config", "fine_generation_config"],
    unsupported: without(["max_new_tokens"]),
  },
);

function without(names: readonly string[]): typeof notThere {
  return Object.fromEntries(Object.entries(notThere).filter(([name]) => !names.includes(name)));
}

// The places of transformers' signatures.
const semanticPlaces = ["input_ids", "semantic_generation_config", "history_prompt", "attention_mask"];
const laterPlaces = ["semantic_generation_config", "coarse_generation_config"];
const coarsePlaces = ["semantic_output", ...laterPlaces, "codebook_size", "history_prompt", "return_output_lengths"];
const finePlaces = ["coarse_output", ...laterPlaces, "fine_generation_config", "codebook_size", "history_prompt"];

export const readSemanticGenerate = (given: readonly unknown[]) =>
  readSemantic(placed("generate", semanticPlaces, given));
export const readCoarseGenerate = (given: readonly unknown[]) => readCoarse(placed("generate", coarsePlaces, given));
export const readFineGenerate = (given: readonly unknown[]) => readFine(placed("generate", finePlaces, given));

/** The run of a stage alone. */
export function runOf(stage: BarkStage, args: RunArguments): StageRun {
  const { seed, signal, on_progress: onProgress, tokens_per_readback: tokensPerReadback } = args;
  return new StageRun(stage, { seed: seed ?? randomSeed(), signal, onProgress, tokensPerReadback });
}

type RunArguments = { [K in keyof typeof runReaders]?: Exclude<ReturnType<(typeof runReaders)[K]>, undefined> };
