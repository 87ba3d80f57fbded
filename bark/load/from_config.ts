import {
  argumentsOf,
  describe,
  noneOr,
  readBoolean,
  reader,
  readFunction,
  readSignal,
  type ReadersOf,
} from "../../engine/check/arguments.ts";
import type { PreTrainedConfig } from "../../engine/check/pretrained_config.ts";
import { EngineError } from "../../engine/errors.ts";
import type { ExpectedTensor } from "../../engine/weights/expected_tensors.ts";
import type { TensorReader } from "../../engine/weights/tensor_reader.ts";
import { BarkGenerationConfig } from "../config/generation_config.ts";
import { runReaders } from "../generate/options/generate_arguments.ts";
import { deviceReaders, modelRules, readDtype } from "./load_arguments.ts";
import type { BarkFromPretrainedOptions, FromPretrainedOptions } from "./load_options.ts";

type DeviceOptions = Pick<
  FromPretrainedOptions,
  "dtype" | "torch_dtype" | "gpu" | "device" | "on_progress" | "recover" | "onNotice" | "signal"
>;

export interface FromConfigOptions extends DeviceOptions {
  /** Of the weights, from 0 to 2^64 - 1. Default: drawn. */
  seed?: number | bigint | null;
}

export interface BarkFromConfigOptions extends FromConfigOptions, Pick<BarkFromPretrainedOptions, "low_memory"> {
  /** Default: that of transformers' class, which fits the published sizes. */
  generation_config?: BarkGenerationConfig | null;
}

const readers = {
  ...deviceReaders,
  seed: runReaders.seed,
  onNotice: readFunction<(line: string) => void>(),
  signal: readSignal,
} satisfies ReadersOf<Omit<FromConfigOptions, "torch_dtype">>;

const barkReaders = {
  ...readers,
  low_memory: noneOr(readBoolean),
  generation_config: noneOr(
    reader<BarkGenerationConfig>("a BarkGenerationConfig", (value) => value instanceof BarkGenerationConfig),
  ),
} satisfies ReadersOf<Omit<BarkFromConfigOptions, "torch_dtype">>;

/** Options of a sub-model's `from_config`. @throws EngineError `usage`. */
export const readFromConfig = argumentsOf("from_config", readers, modelRules);
/** Options of `BarkModel.from_config`. @throws EngineError `usage`. */
export const readBarkFromConfig = argumentsOf("from_config", barkReaders, modelRules);

export type FromConfigArguments = ReturnType<typeof readFromConfig>;

/**
 * Opens the weights of a new model. Halves are stored as halves, as in transformers; q8 is a format of the GPU alone.
 * @param tensors of the model. @param config whose dtype counts where none is given. @throws EngineError, when it is called, for a model too large.
 */
export function newWeights(
  model: string,
  tensors: Iterable<ExpectedTensor>,
  config: PreTrainedConfig,
  { seed, dtype = readDtype(config.dtype, "config.dtype") }: FromConfigArguments,
): () => Promise<TensorReader> {
  // The same numbers for every call: weights are read again when a device was lost, or one part at a time.
  const chosen = seed ?? crypto.getRandomValues(new BigUint64Array(1))[0];
  return async () => {
    // Loaded here: few pages make new models.
    const { RandomReader } = await import("../../checkpoint/random_reader.ts");
    const { RoundedReader } = await import("../../checkpoint/rounded_reader.ts");
    const weights = new RandomReader(`a new ${model}`, chosen, tensors);
    const rounding = dtype === "f16" ? "F16" : dtype === "bf16" ? "BF16" : undefined;
    return rounding === undefined ? weights : new RoundedReader(weights, rounding);
  };
}

/** @throws EngineError `usage` unless `config` is of the class that a model is made from. */
export function requireConfig<C>(config: unknown, Config: new () => C, model: string): asserts config is C {
  if (config instanceof Config) return;
  throw new EngineError("usage", "wrong configuration", {
    where: `${model}.from_config`,
    expected: `a ${Config.name}`,
    actual: describe(config),
    fix: `give ${model}.from_config(new ${Config.name}({ … }), { seed })`,
  });
}
