import { openWeights } from "../convert/open_weights.ts";
import type { FileStore } from "../engine/file_store.ts";
import type { Gpu } from "../engine/gpu.ts";
import type { WeightFormat } from "../engine/shader_source.ts";
import type { TensorReader } from "../engine/tensor_reader.ts";
import { CausalModel } from "./causal_model.ts";
import { BarkCoarseConfig, BarkFineConfig, BarkSemanticConfig } from "./config.ts";
import { FineWeights } from "./fine_model.ts";
import { causalForward, type CausalForwardKwargs, type CausalLMOutputWithPast } from "./forward/causal_forward.ts";
import { fineForward, type FineForwardKwargs, type MaskedLMOutput } from "./forward/fine_forward.ts";
import { chooseFormat, gpuOf, type FromPretrainedOptions } from "./load_options.ts";
import { LoadProgress } from "./load_progress.ts";
import { openCheckpoint, type CheckpointSource } from "./store.ts";

/** A causal GPT of Bark, for those who call it themselves. */
export class BarkCausalModel extends CausalModel {
  /** Closes what was opened for this model alone. */
  close: () => void = () => undefined;

  /**
   * One pass over a batch: scores of the next token after every position and, if asked for, hidden states and
   * attentions, in host memory. `past_key_values` of the answer, given to the next call, save computing again.
   * @throws EngineError `usage` for arguments that are wrong or do not fit the model.
   */
  async forward(kwargs: CausalForwardKwargs): Promise<CausalLMOutputWithPast> {
    return await causalForward(this, kwargs);
  }

  override dispose(): void {
    super.dispose();
    this.close();
  }
}

/** Text to semantic tokens. */
export class BarkSemanticModel extends BarkCausalModel {
  /** From a checkpoint of this model alone or of a whole Bark. @throws EngineError `bad-input`, `no-adapter`. */
  static async from_pretrained(
    source: CheckpointSource,
    options: FromPretrainedOptions = {},
  ): Promise<BarkSemanticModel> {
    return await loadAlone(source, options, "semantic", BarkSemanticConfig, ({ gpu, reader, prefix, format }, config) =>
      BarkSemanticModel.load(gpu, reader, prefix, config, format),
    );
  }
}

/** Semantic tokens to the first codebooks. */
export class BarkCoarseModel extends BarkCausalModel {
  /** From a checkpoint of this model alone or of a whole Bark. @throws EngineError `bad-input`, `no-adapter`. */
  static async from_pretrained(
    source: CheckpointSource,
    options: FromPretrainedOptions = {},
  ): Promise<BarkCoarseModel> {
    return await loadAlone(
      source,
      options,
      "coarse_acoustics",
      BarkCoarseConfig,
      ({ gpu, reader, prefix, format }, config) => BarkCoarseModel.load(gpu, reader, prefix, config, format),
    );
  }
}

/** The first codebooks to all of them, one after the other. */
export class BarkFineModel extends FineWeights {
  /** Closes what was opened for this model alone. */
  close: () => void = () => undefined;

  /** From a checkpoint of this model alone or of a whole Bark. @throws EngineError `bad-input`, `no-adapter`. */
  static async from_pretrained(source: CheckpointSource, options: FromPretrainedOptions = {}): Promise<BarkFineModel> {
    return await loadAlone(
      source,
      options,
      "fine_acoustics",
      BarkFineConfig,
      ({ gpu, reader, prefix, format }, config) => BarkFineModel.load(gpu, reader, prefix, config, format),
    );
  }

  /**
   * One pass over a batch: scores of codebook `codebook_idx` at every position and, if asked for, hidden states and
   * attentions, in host memory.
   * @throws EngineError `usage` for arguments that are wrong or do not fit the model.
   */
  async forward(kwargs: FineForwardKwargs): Promise<MaskedLMOutput> {
    return await fineForward(this, kwargs);
  }

  override dispose(): void {
    super.dispose();
    this.close();
  }
}

interface Weights {
  readonly gpu: Gpu;
  readonly reader: TensorReader;
  readonly prefix: string;
  readonly format: WeightFormat;
}

/** Loads one sub-model: its tensors lie under its name in a checkpoint of a whole Bark, else at the top. */
async function loadAlone<T extends { close: () => void }, C>(
  source: CheckpointSource,
  options: FromPretrainedOptions,
  name: string,
  Config: { from_pretrained(store: FileStore): Promise<C> },
  load: (weights: Weights, config: C) => Promise<T>,
): Promise<T> {
  const store = await openCheckpoint(source);
  const config = await Config.from_pretrained(store);
  const checkpoint = await openWeights(store);
  const isWhole = Array.from(checkpoint.names()).some((tensor) => tensor.startsWith(`${name}.`));
  const prefix = isWhole ? `${name}.` : "";
  const reader = new LoadProgress(checkpoint, options, prefix);
  const gpu = await gpuOf(options);
  const close = (): void => {
    void reader.close();
    if (options.gpu === undefined) gpu.dispose();
  };
  try {
    const model = await load({ gpu, reader, prefix, format: chooseFormat(reader, prefix, options.dtype) }, config);
    model.close = close;
    return model;
  } catch (error) {
    close();
    throw error;
  }
}
