import { refuseMore } from "../engine/check/arguments.ts";
import { EngineError } from "../engine/errors.ts";
import { checkTensors, type ExpectedTensor } from "../engine/weights/expected_tensors.ts";
import type { PreTrainedConfig } from "../engine/check/pretrained_config.ts";
import type { FileStore } from "../checkpoint/stores/file_store.ts";
import type { Gpu } from "../engine/gpu.ts";
import type { MatrixFormat } from "../engine/dtypes.ts";
import type { TensorReader } from "../engine/weights/tensor_reader.ts";
import { Callable } from "./callable.ts";
import { CausalWeights } from "./gpt/causal_weights.ts";
import { BarkCoarseConfig, BarkFineConfig, BarkSemanticConfig } from "./config/config.ts";
import { causalTensors, fineTensors } from "./load/expected_tensors.ts";
import { FineWeights } from "./gpt/fine_weights.ts";
import { causalForward, readCausalArguments, type CausalForwardKwargs } from "./gpt/forward/causal_forward.ts";
import { fineForward, readFineArguments, type FineForwardKwargs } from "./gpt/forward/fine_forward.ts";
import type { CausalLMOutputWithPast, MaskedLMOutput, OutputTuple } from "./gpt/forward/model_output.ts";
import { generateCoarseAlone, generateFineAlone, generateSemanticAlone } from "./generate/sub_model_generate.ts";
import { newWeights, readFromConfig, requireConfig, type FromConfigOptions } from "./load/from_config.ts";
import { readModelOptions, type WeightDtype } from "./load/load_arguments.ts";
import { countParameters, type NumParametersOptions } from "./load/parameters.ts";
import type { SavePushOptions } from "./load/push_to_hub.ts";
import type { FromPretrainedOptions } from "./load/load_options.ts";
import { chooseFormat, openStored, reportReady, type DeviceArguments } from "./load/prepare.ts";
import { Residency, type LoadWatch, type ResidentPart } from "./load/residency.ts";
import { openCheckpoint, type CheckpointSource } from "./load/open_checkpoint.ts";
import type { BarkSubModelConfig } from "./config/sub_model_config.ts";
import type {
  BarkCoarseGenerationConfig,
  BarkFineGenerationConfig,
  BarkSemanticGenerationConfig,
} from "./config/generation_config.ts";
import type {
  CoarseGenerateKwargs,
  FineGenerateKwargs,
  GenerateMore,
  SemanticGenerateKwargs,
} from "./generate/options/sub_model_arguments.ts";
import type { ArrayInput } from "../engine/check/array_argument.ts";
import type { NdArray } from "../engine/ndarray.ts";
import { refuseTorchMethods } from "./torch_methods.ts";

/** Where a sub-model's weights come from and live. */
export interface SubModelSource {
  readonly residency: Residency;
  /** Put before the names of its tensors, such as `semantic.`. */
  readonly prefix: string;
  readonly format: MatrixFormat;
}

/** A part of Bark: a config, and weights that are on the GPU when they are used. */
export abstract class SubModel<C extends PreTrainedConfig, W extends { dispose(): void }> extends Callable {
  readonly config: C;
  readonly weights: ResidentPart<W>;
  readonly #owned: Residency | undefined;
  readonly #source: Omit<SubModelSource, "format">;

  /**
   * @param load puts the weights on the GPU. @param owned what was opened for this model alone.
   * @throws EngineError `usage` where a caller gives a configuration, as in Python.
   */
  protected constructor(
    source: Omit<SubModelSource, "format">,
    config: C,
    load: (gpu: Gpu, reader: TensorReader) => Promise<W>,
    owned: Residency | undefined,
  ) {
    if (!((source as Partial<SubModelSource> | undefined)?.residency instanceof Residency))
      throw newIsRefused(new.target.name);
    super();
    this.config = config;
    this.weights = source.residency.add(source.prefix, load);
    this.#source = source;
    this.#owned = owned;
  }

  static {
    refuseTorchMethods(this);
  }

  get gpu(): Gpu {
    return this.weights.gpu;
  }

  /** The adapter's name. */
  get device(): string {
    return this.gpu.adapterName;
  }

  /** Every tensor of the model. */
  protected abstract tensors(): Iterable<ExpectedTensor>;

  /** How many parameters the model has, as transformers counts them. @throws EngineError `usage`. */
  num_parameters(options: NumParametersOptions = {}): number {
    return countParameters(this.tensors(), options);
  }

  /**
   * Writes `config.json` and `model.safetensors` of this model alone into a folder, which is made if it is missing;
   * transformers loads it too. Weights are written in the dtype in which they are stored. With `push_to_hub` the files go to
   * the hub afterwards.
   * @throws EngineError `usage` in a page, `io`.
   */
  async save_pretrained(save_directory: string, options: SavePushOptions & object = {}): Promise<void> {
    // Loaded here: a page, which cannot save, fetches code for nothing.
    const { savePretrained } = await import("./load/push_to_hub.ts");
    await savePretrained(save_directory, options, "model", (folder, rest) => this.#save(folder, rest));
  }

  async #save(save_directory: string, options: object): Promise<void> {
    const { SaveFolder } = await import("./load/save_folder.ts");
    const { saveModel } = await import("./load/save_weights.ts");
    const { residency, prefix } = this.#source;
    const folder = await SaveFolder.create(save_directory, options);
    await saveModel(folder, { reader: residency.reader, prefix }, this.constructor.name, this.config);
  }

  /** Frees what was loaded for this model alone, which is nothing if it is part of a {@link BarkModel}. */
  dispose(): void {
    this.#owned?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** {@link BarkCausalModel.forward}, called by the model itself. */
// eslint-disable-next-line @typescript-eslint/no-unused-vars -- an interface and its class have the same parameters
export interface BarkCausalModel<C extends BarkSubModelConfig = BarkSubModelConfig> {
  (kwargs: CausalForwardKwargs & { return_dict: false }, ...more: never[]): Promise<OutputTuple>;
  (kwargs: CausalForwardKwargs, ...more: never[]): Promise<CausalLMOutputWithPast>;
}

/** A causal GPT of Bark, for direct calls. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- only so can a class say that it is callable
export class BarkCausalModel<C extends BarkSubModelConfig = BarkSubModelConfig> extends SubModel<C, CausalWeights> {
  /** For `from_pretrained` and `from_config`. */
  constructor(source: SubModelSource, config: C, owned?: Residency) {
    super(
      source,
      config,
      (gpu, reader) => CausalWeights.load(gpu, reader, source.prefix, config, source.format),
      owned,
    );
  }

  protected override tensors(): Iterable<ExpectedTensor> {
    return causalTensors(this.config);
  }

  /**
   * One pass over a batch: scores of the next token after every position and, if asked for, hidden states and
   * attentions, in host memory. `past_key_values` of the answer, given to the next call, save computing again.
   * With `return_dict: false`, also that of the config, the answer is a list.
   * @throws EngineError `usage` for arguments that are wrong or do not fit the model.
   */
  async forward(kwargs: CausalForwardKwargs & { return_dict: false }, ...more: never[]): Promise<OutputTuple>;
  async forward(kwargs: CausalForwardKwargs, ...more: never[]): Promise<CausalLMOutputWithPast>;
  async forward(kwargs: CausalForwardKwargs, ...more: never[]): Promise<CausalLMOutputWithPast | OutputTuple> {
    refuseMore("forward", more, "put all arguments into one object: forward({ input_ids, … })");
    const args = readCausalArguments(kwargs);
    const output = await this.weights.use((weights) => causalForward(weights, args));
    return (args.return_dict ?? this.config.return_dict) ? output : output.to_tuple();
  }
}

/** Text to semantic tokens. */
export class BarkSemanticModel extends BarkCausalModel<BarkSemanticConfig> {
  /** From a checkpoint of this model alone or of a whole Bark. @throws EngineError `bad-input`, `no-adapter`. */
  static async from_pretrained(
    source: CheckpointSource,
    options: FromPretrainedOptions = {},
  ): Promise<BarkSemanticModel> {
    return await loadAlone(source, options, "semantic", BarkSemanticConfig, BarkSemanticModel, causalTensors);
  }

  /** A new model with random weights, as transformers' `BarkSemanticModel(config)`. @throws EngineError `no-adapter`. */
  static async from_config(config: BarkSemanticConfig, options: FromConfigOptions = {}): Promise<BarkSemanticModel> {
    return await makeNew(config, options, BarkSemanticConfig, BarkSemanticModel, causalTensors);
  }

  /**
   * Text to semantic tokens [batch * num_return_sequences, n], as in transformers: `generate(input_ids,
   * semantic_generation_config, history_prompt, attention_mask, { … })`, or all by name in one object.
   * @throws EngineError `usage`, `aborted`.
   */
  async generate(kwargs: SemanticGenerateKwargs): Promise<NdArray<Int32Array>>;
  async generate(
    input_ids: ArrayInput,
    semantic_generation_config: BarkSemanticGenerationConfig,
    ...more: GenerateMore<SemanticGenerateKwargs>[]
  ): Promise<NdArray<Int32Array>>;
  async generate(...given: unknown[]): Promise<NdArray<Int32Array>> {
    return await generateSemanticAlone(this.weights, given);
  }
}

/** Semantic tokens to the first codebooks. */
export class BarkCoarseModel extends BarkCausalModel<BarkCoarseConfig> {
  /** From a checkpoint of this model alone or of a whole Bark. @throws EngineError `bad-input`, `no-adapter`. */
  static async from_pretrained(
    source: CheckpointSource,
    options: FromPretrainedOptions = {},
  ): Promise<BarkCoarseModel> {
    return await loadAlone(source, options, "coarse_acoustics", BarkCoarseConfig, BarkCoarseModel, causalTensors);
  }

  /** A new model with random weights, as transformers' `BarkCoarseModel(config)`. @throws EngineError `no-adapter`. */
  static async from_config(config: BarkCoarseConfig, options: FromConfigOptions = {}): Promise<BarkCoarseModel> {
    return await makeNew(config, options, BarkCoarseConfig, BarkCoarseModel, causalTensors);
  }

  /**
   * Semantic tokens to coarse ones [batch, n], as in transformers: `generate(semantic_output, semantic_generation_config,
   * coarse_generation_config, codebook_size, history_prompt, return_output_lengths, { … })`, or all by name in one object.
   * With `return_output_lengths` also how many of them belong to each row.
   * @throws EngineError `usage`, `bad-input` for configs, `aborted`.
   */
  async generate(
    kwargs: CoarseGenerateKwargs & { return_output_lengths: true },
  ): Promise<[NdArray<Int32Array>, NdArray<Int32Array>]>;
  async generate(kwargs: CoarseGenerateKwargs & { return_output_lengths?: false | null }): Promise<NdArray<Int32Array>>;
  async generate(
    semantic_output: ArrayInput,
    semantic_generation_config: BarkSemanticGenerationConfig,
    coarse_generation_config: BarkCoarseGenerationConfig,
    ...more: GenerateMore<CoarseGenerateKwargs>[]
  ): Promise<NdArray<Int32Array> | [NdArray<Int32Array>, NdArray<Int32Array>]>;
  async generate(...given: unknown[]): Promise<NdArray<Int32Array> | [NdArray<Int32Array>, NdArray<Int32Array>]> {
    return await generateCoarseAlone(this.weights, given);
  }
}

/** {@link BarkFineModel.forward}, called by the model itself. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- as above
export interface BarkFineModel {
  (kwargs: FineForwardKwargs & { return_dict: false }, ...more: never[]): Promise<OutputTuple>;
  (kwargs: FineForwardKwargs, ...more: never[]): Promise<MaskedLMOutput>;
}

/** The first codebooks to all of them, one after the other. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- as above
export class BarkFineModel extends SubModel<BarkFineConfig, FineWeights> {
  /** For `from_pretrained` and `from_config`. */
  constructor(source: SubModelSource, config: BarkFineConfig, owned?: Residency) {
    super(source, config, (gpu, reader) => FineWeights.load(gpu, reader, source.prefix, config, source.format), owned);
  }

  /** From a checkpoint of this model alone or of a whole Bark. @throws EngineError `bad-input`, `no-adapter`. */
  static async from_pretrained(source: CheckpointSource, options: FromPretrainedOptions = {}): Promise<BarkFineModel> {
    return await loadAlone(source, options, "fine_acoustics", BarkFineConfig, BarkFineModel, fineTensors);
  }

  /** A new model with random weights, as transformers' `BarkFineModel(config)`. @throws EngineError `no-adapter`. */
  static async from_config(config: BarkFineConfig, options: FromConfigOptions = {}): Promise<BarkFineModel> {
    return await makeNew(config, options, BarkFineConfig, BarkFineModel, fineTensors);
  }

  protected override tensors(): Iterable<ExpectedTensor> {
    return fineTensors(this.config);
  }

  /**
   * Coarse tokens to all codes [batch, n_fine_codebooks, frames], as in transformers: `generate(coarse_output,
   * semantic_generation_config, coarse_generation_config, fine_generation_config, codebook_size, history_prompt, { … })`,
   * or all by name in one object. Of the keywords `temperature` alone counts.
   * @throws EngineError `usage`, `bad-input` for configs, `aborted`.
   */
  async generate(kwargs: FineGenerateKwargs): Promise<NdArray<Int32Array>>;
  async generate(
    coarse_output: ArrayInput,
    semantic_generation_config: BarkSemanticGenerationConfig,
    coarse_generation_config: BarkCoarseGenerationConfig,
    fine_generation_config: BarkFineGenerationConfig,
    ...more: GenerateMore<FineGenerateKwargs>[]
  ): Promise<NdArray<Int32Array>>;
  async generate(...given: unknown[]): Promise<NdArray<Int32Array>> {
    return await generateFineAlone(this.weights, this.config, given);
  }

  /**
   * One pass over a batch: scores of codebook `codebook_idx` at every position and, if asked for, hidden states and
   * attentions, in host memory. With `return_dict: false`, also that of the config, the answer is a list.
   * @throws EngineError `usage` for arguments that are wrong or do not fit the model.
   */
  async forward(kwargs: FineForwardKwargs & { return_dict: false }, ...more: never[]): Promise<OutputTuple>;
  async forward(kwargs: FineForwardKwargs, ...more: never[]): Promise<MaskedLMOutput>;
  async forward(kwargs: FineForwardKwargs, ...more: never[]): Promise<MaskedLMOutput | OutputTuple> {
    refuseMore("forward", more, "put all arguments into one object: forward({ codebook_idx, input_ids, … })");
    const args = readFineArguments(kwargs);
    const output = await this.weights.use((weights) => fineForward(weights, args));
    return (args.return_dict ?? this.config.return_dict) ? output : output.to_tuple();
  }
}

type NewSubModel<T, C> = new (source: SubModelSource, config: C, owned: Residency) => T;
type TensorsOf<C> = (config: C) => Iterable<ExpectedTensor>;

/** Loads one sub-model: its tensors lie under its name in a checkpoint of a whole Bark, else at the top. */
async function loadAlone<T, C>(
  source: CheckpointSource,
  given: FromPretrainedOptions,
  name: string,
  Config: { from_pretrained(store: FileStore): Promise<C> },
  Model: NewSubModel<T, C>,
  tensorsOf: TensorsOf<C>,
): Promise<T> {
  const options = readModelOptions(given);
  const store = await openCheckpoint(source, options);
  const config = await Config.from_pretrained(store);
  const prefixIn = (reader: TensorReader): string => {
    const isWhole = Array.from(reader.names()).some((tensor) => tensor.startsWith(`${name}.`));
    return isWhole ? `${name}.` : "";
  };
  const model = await openAlone(() => openStored(store, options.dtype), prefixIn, options, config, Model, tensorsOf);
  reportReady(source, options);
  return model;
}

async function makeNew<T, C extends PreTrainedConfig>(
  config: C,
  given: FromConfigOptions,
  Config: new () => C,
  Model: NewSubModel<T, C>,
  tensorsOf: TensorsOf<C>,
): Promise<T> {
  requireConfig(config, Config, Model.name);
  const options = readFromConfig(given);
  return await openAlone(
    newWeights(Model.name, tensorsOf(config), config, options),
    () => "",
    options,
    config,
    Model,
    tensorsOf,
  );
}

async function openAlone<T, C>(
  open: () => Promise<TensorReader>,
  prefixIn: (reader: TensorReader) => string,
  options: DeviceArguments & LoadWatch & { dtype?: WeightDtype },
  config: C,
  Model: NewSubModel<T, C>,
  tensorsOf: TensorsOf<C>,
): Promise<T> {
  const check = (reader: TensorReader): { prefix: string; format: MatrixFormat } => {
    const prefix = prefixIn(reader);
    checkTensors(reader, prefix, tensorsOf(config));
    return { prefix, format: chooseFormat(reader, prefix, options.dtype) };
  };
  return await Residency.opened(open, options, check, async (residency, { prefix, format }) => {
    const model = new Model({ residency, prefix, format }, config, residency);
    await residency.load(options);
    return model;
  });
}

/** For `new BarkSemanticModel(configuration)`: a constructor cannot wait for the device. */
export function newIsRefused(model: string): EngineError {
  return new EngineError("usage", "is not made with new", {
    where: model,
    fix: `await ${model}.from_config(config, { seed }) for random weights, ${model}.from_pretrained(checkpoint) for trained ones`,
  });
}
