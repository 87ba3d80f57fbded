import { refuseMore } from "../engine/check/arguments.ts";
import { checkTensors, type ExpectedTensor } from "../engine/weights/expected_tensors.ts";
import type { FileStore } from "../checkpoint/stores/file_store.ts";
import type { Gpu } from "../engine/gpu.ts";
import type { MatrixFormat } from "../engine/dtypes.ts";
import type { TensorReader } from "../engine/weights/tensor_reader.ts";
import { CausalWeights } from "./gpt/causal_weights.ts";
import { BarkCoarseConfig, BarkFineConfig, BarkSemanticConfig } from "./config/config.ts";
import { causalTensors, fineTensors } from "./load/expected_tensors.ts";
import { FineWeights } from "./gpt/fine_weights.ts";
import {
  causalForward,
  readCausalArguments,
  type CausalForwardKwargs,
  type CausalLMOutputWithPast,
} from "./gpt/forward/causal_forward.ts";
import {
  fineForward,
  readFineArguments,
  type FineForwardKwargs,
  type MaskedLMOutput,
} from "./gpt/forward/fine_forward.ts";
import { readModelOptions } from "./load/load_arguments.ts";
import type { FromPretrainedOptions } from "./load/load_options.ts";
import { chooseFormat, reportReady } from "./load/prepare.ts";
import { Residency, type ResidentPart } from "./load/residency.ts";
import { openCheckpoint, type CheckpointSource } from "./load/open_checkpoint.ts";
import type { BarkSubModelConfig } from "./config/sub_model_config.ts";

/** Where a sub-model's weights come from and live. */
export interface SubModelSource {
  readonly residency: Residency;
  /** Put before the names of its tensors, such as `semantic.`. */
  readonly prefix: string;
  readonly format: MatrixFormat;
}

/** A part of Bark: a config, and weights that are on the GPU when they are used. */
export class SubModel<C, W extends { dispose(): void }> {
  readonly config: C;
  readonly weights: ResidentPart<W>;
  readonly #owned: Residency | undefined;

  /** @param owned what was opened for this model alone. */
  protected constructor(config: C, weights: ResidentPart<W>, owned: Residency | undefined) {
    this.config = config;
    this.weights = weights;
    this.#owned = owned;
  }

  get gpu(): Gpu {
    return this.weights.gpu;
  }

  /** Frees what was loaded for this model alone, which is nothing if it is part of a {@link BarkModel}. */
  dispose(): void {
    this.#owned?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** A causal GPT of Bark, for direct calls. */
export class BarkCausalModel<C extends BarkSubModelConfig = BarkSubModelConfig> extends SubModel<C, CausalWeights> {
  /** For `from_pretrained`. */
  constructor({ residency, prefix, format }: SubModelSource, config: C, owned?: Residency) {
    const weights = residency.add(prefix, (gpu, reader) => CausalWeights.load(gpu, reader, prefix, config, format));
    super(config, weights, owned);
  }

  /**
   * One pass over a batch: scores of the next token after every position and, if asked for, hidden states and
   * attentions, in host memory. `past_key_values` of the answer, given to the next call, save computing again.
   * @throws EngineError `usage` for arguments that are wrong or do not fit the model.
   */
  async forward(kwargs: CausalForwardKwargs, ...more: never[]): Promise<CausalLMOutputWithPast> {
    refuseMore("forward", more, "put all arguments into one object: forward({ input_ids, … })");
    const args = readCausalArguments(kwargs);
    return await this.weights.use((weights) => causalForward(weights, args));
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
}

/** The first codebooks to all of them, one after the other. */
export class BarkFineModel extends SubModel<BarkFineConfig, FineWeights> {
  /** For `from_pretrained`. */
  constructor({ residency, prefix, format }: SubModelSource, config: BarkFineConfig, owned?: Residency) {
    const weights = residency.add(prefix, (gpu, reader) => FineWeights.load(gpu, reader, prefix, config, format));
    super(config, weights, owned);
  }

  /** From a checkpoint of this model alone or of a whole Bark. @throws EngineError `bad-input`, `no-adapter`. */
  static async from_pretrained(source: CheckpointSource, options: FromPretrainedOptions = {}): Promise<BarkFineModel> {
    return await loadAlone(source, options, "fine_acoustics", BarkFineConfig, BarkFineModel, fineTensors);
  }

  /**
   * One pass over a batch: scores of codebook `codebook_idx` at every position and, if asked for, hidden states and
   * attentions, in host memory.
   * @throws EngineError `usage` for arguments that are wrong or do not fit the model.
   */
  async forward(kwargs: FineForwardKwargs, ...more: never[]): Promise<MaskedLMOutput> {
    refuseMore("forward", more, "put all arguments into one object: forward({ codebook_idx, input_ids, … })");
    const args = readFineArguments(kwargs);
    return await this.weights.use((weights) => fineForward(weights, args));
  }
}

/** Loads one sub-model: its tensors lie under its name in a checkpoint of a whole Bark, else at the top. */
async function loadAlone<T, C>(
  source: CheckpointSource,
  given: FromPretrainedOptions,
  name: string,
  Config: { from_pretrained(store: FileStore): Promise<C> },
  Model: new (source: SubModelSource, config: C, owned: Residency) => T,
  tensorsOf: (config: C) => Iterable<ExpectedTensor>,
): Promise<T> {
  const options = readModelOptions(given);
  const store = await openCheckpoint(source, options);
  const config = await Config.from_pretrained(store);
  const check = (reader: TensorReader): { prefix: string; format: MatrixFormat } => {
    const isWhole = Array.from(reader.names()).some((tensor) => tensor.startsWith(`${name}.`));
    const prefix = isWhole ? `${name}.` : "";
    checkTensors(reader, prefix, tensorsOf(config));
    return { prefix, format: chooseFormat(reader, prefix, options.dtype) };
  };
  return await Residency.opened(store, options, check, async (residency, { prefix, format }) => {
    const model = new Model({ residency, prefix, format }, config, residency);
    await residency.load(options);
    reportReady(source, options);
    return model;
  });
}
