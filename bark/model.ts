import { checkDecoder } from "../encodec/expected_tensors.ts";
import { refuseMore } from "../engine/check/arguments.ts";
import type { ArrayInput } from "../engine/check/array_argument.ts";
import type { Gpu } from "../engine/gpu.ts";
import type { NdArray } from "../engine/ndarray.ts";
import type { TensorReader } from "../engine/weights/tensor_reader.ts";
import type { MatrixFormat } from "../engine/dtypes.ts";
import { checkAudio } from "./generate/audio_check.ts";
import { generateCoarse, type CoarseResult } from "./generate/coarse_stage.ts";
import { readFineCodes, readOutputLengths } from "./generate/options/codec_arguments.ts";
import { decodeCodes } from "./generate/codec_stage.ts";
import { joinCodes } from "./generate/codes.ts";
import { compileAhead } from "./gpt/compile_ahead.ts";
import { BarkConfig } from "./config/config.ts";
import { EncodecModel } from "./encodec_model.ts";
import { barkTensors, checkGptTensors } from "./load/expected_tensors.ts";
import { newWeights, readBarkFromConfig, requireConfig, type BarkFromConfigOptions } from "./load/from_config.ts";
import { generateFine } from "./generate/fine_stage.ts";
import { checkGenerate, checkGenerationFits, checkVoiceOfRows } from "./generate/options/generation_checks.ts";
import {
  randomSeed,
  readGenerateArguments,
  type BarkGenerateKwargs,
  type BarkGenerateMore,
  type GenerateArguments,
} from "./generate/options/generate_arguments.ts";
import type { BarkStreamKwargs } from "./generate/options/stream_arguments.ts";
import { BarkGenerationConfig } from "./config/generation_config.ts";
import { noticeOf, type OnNotice } from "../engine/notice.ts";
import { readCheckpoint, type BarkCheckpoint } from "./load/bark_checkpoint.ts";
import { readBarkOptions, type WeightDtype } from "./load/load_arguments.ts";
import { countParameters, type NumParametersOptions } from "./load/parameters.ts";
import type { BarkFromPretrainedOptions } from "./load/load_options.ts";
import { chooseFormat, openStored, reportReady, type DeviceArguments } from "./load/prepare.ts";
import type { BarkOutput, BarkStage } from "./generate/output.ts";
import { endedAtOnce } from "./generate/row_output.ts";
import { Residency, type LoadWatch, type ResidentPart } from "./load/residency.ts";
import { generateSemantic } from "./generate/semantic_stage.ts";
import { StageRun } from "./generate/stage_run.ts";
import type { PushToHubOptions, SavePushOptions } from "./load/push_to_hub.ts";
import { openCheckpoint, type CheckpointSource } from "./load/open_checkpoint.ts";
import { BarkCoarseModel, BarkFineModel, BarkSemanticModel, newIsRefused } from "./sub_models.ts";
import { refuseTorchMethods } from "./torch_methods.ts";
import { isVoicePerRow, voiceOfRow } from "./voice/history_prompt.ts";

/** The parts of a model. */
interface BarkParts {
  readonly config: BarkConfig;
  readonly generation_config: BarkGenerationConfig;
  readonly dtype: MatrixFormat;
  readonly residency: Residency;
}

/** What opening a model looks at, of a checkpoint or a new one. */
type OpenArguments = DeviceArguments & LoadWatch & { low_memory?: boolean; dtype?: WeightDtype };

/** Bark: text to audio through a semantic, a coarse and a fine GPT and the EnCodec decoder. */
export class BarkModel {
  readonly config: BarkConfig;
  readonly generation_config: BarkGenerationConfig;
  readonly dtype: MatrixFormat;
  readonly semantic: BarkSemanticModel;
  readonly coarse_acoustics: BarkCoarseModel;
  readonly fine_acoustics: BarkFineModel;
  readonly codec_model: EncodecModel;
  readonly #residency: Residency;
  readonly #notice: OnNotice;

  private constructor(parts: BarkParts, onNotice?: OnNotice) {
    if (!((parts as BarkParts | undefined)?.residency instanceof Residency)) throw newIsRefused("BarkModel");
    const { config, generation_config, dtype, residency } = parts;
    this.config = config;
    this.generation_config = generation_config;
    this.dtype = dtype;
    this.#residency = residency;
    this.#notice = noticeOf(onNotice);
    const under = (prefix: string) => ({ residency, prefix, format: dtype });
    this.semantic = new BarkSemanticModel(under("semantic."), config.semantic_config);
    this.coarse_acoustics = new BarkCoarseModel(under("coarse_acoustics."), config.coarse_acoustics_config);
    this.fine_acoustics = new BarkFineModel(under("fine_acoustics."), config.fine_acoustics_config);
    const codebooks = codebooksOf(config, generation_config);
    this.codec_model = new EncodecModel(under("codec_model."), config.codec_config, { codebooks });
  }

  /**
   * Loads a checkpoint of Hugging Face's layout or suno's: a directory, a URL, a repository on the hub or an opened store.
   * @throws EngineError `bad-input` naming the file and what is wrong; `no-adapter`; `limit`.
   */
  static async from_pretrained(source: CheckpointSource, given: BarkFromPretrainedOptions = {}): Promise<BarkModel> {
    const options = readBarkOptions(given);
    const store = await openCheckpoint(source, options);
    return await BarkModel.from_checkpoint(await readCheckpoint(store, noticeOf(options.onNotice)), given, source);
  }

  /** {@link from_pretrained} of a checkpoint whose configs are read. @param source what it was opened from. */
  static async from_checkpoint(
    { store, config, generation_config }: BarkCheckpoint,
    given: BarkFromPretrainedOptions = {},
    source: CheckpointSource = store,
  ): Promise<BarkModel> {
    const options = readBarkOptions(given);
    const model = await BarkModel.#opened(() => openStored(store, options.dtype), options, {
      config,
      generation_config,
    });
    reportReady(source, options);
    return model;
  }

  /**
   * A new Bark with random weights, as transformers' `BarkModel(config)`. They are made whenever they are read, so memory
   * holds one tensor of them at a time.
   * @throws EngineError `usage`; `bad-input` for a config that no model can have; `no-adapter`, `limit`.
   */
  static async from_config(config: BarkConfig, given: BarkFromConfigOptions = {}): Promise<BarkModel> {
    requireConfig(config, BarkConfig, "BarkModel");
    const options = readBarkFromConfig(given);
    const generation_config = options.generation_config ?? new BarkGenerationConfig();
    const open = newWeights("BarkModel", barkTensors(config), config, options);
    return await BarkModel.#opened(open, options, { config, generation_config });
  }

  static async #opened(
    open: () => Promise<TensorReader>,
    options: OpenArguments,
    { config, generation_config }: Pick<BarkParts, "config" | "generation_config">,
  ): Promise<BarkModel> {
    const check = (reader: TensorReader): MatrixFormat => {
      checkGptTensors(reader, config);
      checkDecoder(reader, "codec_model.", config.codec_config, codebooksOf(config, generation_config));
      return chooseFormat(reader, "semantic.", options.dtype);
    };
    return await Residency.opened(open, options, check, async (residency, dtype) => {
      compileAhead(residency.gpu, config, generation_config, dtype);
      const model = new BarkModel({ config, generation_config, dtype, residency }, options.onNotice);
      await model.#load(options);
      return model;
    });
  }

  static {
    refuseTorchMethods(this);
  }

  get gpu(): Gpu {
    return this.#residency.gpu;
  }

  /** The adapter's name. */
  get device(): string {
    return this.gpu.adapterName;
  }

  /** How many parameters the model has, as transformers counts them. @throws EngineError `usage`. */
  num_parameters(options: NumParametersOptions = {}): number {
    return countParameters(barkTensors(this.config), options);
  }

  /** Puts the weights on the GPU; with `low_memory` only the codec's, to see that they are all there. */
  async #load(options: OpenArguments): Promise<void> {
    if (options.low_memory !== true) return await this.#residency.load(options);
    await this.enable_cpu_offload();
    await this.codec_model.weights.use(async () => undefined, options);
    await this.#residency.release();
  }

  /**
   * From now on one sub-model is on the GPU at a time: its weights are read from the checkpoint when a call needs them
   * and freed when {@link generate} goes on to the next one or ends, or when another call needs another one. The memory is
   * that of the largest sub-model and of one stage's activations, and every run reads the checkpoint once. Results are the
   * same, bit by bit. This waits for running calls; later calls wait for each other.
   */
  async enable_cpu_offload(...more: never[]): Promise<void> {
    refuseMore("enable_cpu_offload", more, "the model stays on its device");
    await this.#residency.offload();
  }

  /**
   * Speaks: audio [batch, samples] float32, unclipped; with `return_output_lengths` also how many samples of each row
   * are its own. @throws EngineError `usage`, `bad-input`, `aborted`, `device-lost`.
   */
  async generate(
    kwargs: BarkGenerateKwargs & { return_output_lengths: true },
    ...more: never[]
  ): Promise<[NdArray<Float32Array>, number[]]>;
  async generate(
    kwargs: BarkGenerateKwargs & { return_output_lengths?: false | null },
    ...more: never[]
  ): Promise<NdArray<Float32Array>>;
  /** By place, as in Python: `generate(input_ids, history_prompt, return_output_lengths, { … })`, keywords last. */
  async generate(
    input_ids: ArrayInput,
    ...more: BarkGenerateMore[]
  ): Promise<NdArray<Float32Array> | [NdArray<Float32Array>, number[]]>;
  async generate(...given: unknown[]): Promise<NdArray<Float32Array> | [NdArray<Float32Array>, number[]]> {
    const args = readGenerateArguments(...given);
    const { audio, output_lengths } = await this.#generateWhole(args);
    return args.return_output_lengths === true ? [audio, [...output_lengths]] : audio;
  }

  /** {@link generate} with the tokens and times of every stage. */
  async generate_output(kwargs: BarkGenerateKwargs, ...more: never[]): Promise<BarkOutput>;
  async generate_output(input_ids: ArrayInput, ...more: BarkGenerateMore[]): Promise<BarkOutput>;
  async generate_output(...given: unknown[]): Promise<BarkOutput> {
    return await this.#generateWhole(readGenerateArguments(...given));
  }

  async #generateWhole(args: GenerateArguments): Promise<BarkOutput> {
    try {
      return await this.#generate(args);
    } finally {
      await this.#residency.release();
    }
  }

  /**
   * {@link generate_output} of one text, whose sound is given out while it is made: the stages take turns, each as far as the
   * next one needs it, and nothing is computed before the next samples are asked for. Codes and samples are those of `generate`
   * unless `latency` is "low".
   * @returns an iterator of samples, and at its end all that `generate_output` answers: the codes are those that were heard.
   * @throws EngineError as `generate`; `usage` for more than one text, or a codec whose samples depend on later frames.
   */
  async *generate_stream(
    kwargs: BarkStreamKwargs,
    ...more: never[]
  ): AsyncGenerator<Float32Array<ArrayBuffer>, BarkOutput, undefined> {
    refuseMore("generate_stream", more, "give generate_stream({ input_ids, latency, … })");
    const { readStreamArguments, requireOneText, streamStages } = await import("./generate/stream/index.ts");
    const { latency, ...args } = readStreamArguments(kwargs, this.config.codec_config);
    if (this.#residency.isOffloaded) {
      this.#notice("one sub-model is on the GPU at a time: the sound comes when all of it is made");
      const output = await this.#generateWhole(args);
      yield Float32Array.from(output.audio.data);
      return output;
    }
    const { signal, on_progress } = args;
    const { ids, history, config, options, shared } = this.#checked(args);
    requireOneText(ids, options.semantic);
    const parts = {
      semantic: this.semantic.weights,
      coarse: this.coarse_acoustics.weights,
      fine: this.fine_acoustics.weights,
      codec: this.codec_model.weights,
    };
    const runOf = (stage: BarkStage): StageRun => new StageRun(stage, shared);
    const request = { ids: ids[0], voice: voiceOfRow(history, 0, 1), config, options, latency, runOf };
    const watch = { signal, on_progress };
    const output = yield* this.#residency.stream(parts, (weights) => streamStages(weights, request), watch);
    checkAudio(output.audio.data, this.#notice);
    return output;
  }

  /** Arguments of a run that fit this model. */
  #checked(args: GenerateArguments) {
    const { input_ids, history_prompt: history = null, return_output_lengths, ...more } = args;
    void return_output_lengths;
    const {
      seed = randomSeed(),
      signal,
      on_progress: onProgress,
      tokens_per_readback: tokensPerReadback,
      ...rest
    } = more;
    const config = this.generation_config;
    // Not when the model is loaded: its parts can be called without a generation config that fits.
    checkGenerationFits(config, this.config);
    const options = checkGenerate(rest, history, config, this.config);
    const ids = input_ids.tolist() as number[][];
    checkVoiceOfRows(history, ids.length);
    const runs = isVoicePerRow(history) ? ids.length : 1;
    return { ids, history, config, options, shared: { seed, signal, onProgress, tokensPerReadback, runs } };
  }

  async #generate(args: GenerateArguments): Promise<BarkOutput> {
    const { return_output_lengths = false, signal, on_progress } = args;
    const { ids, history, config, options, shared } = this.#checked(args);
    const milliseconds: Partial<Record<BarkStage, number>> = {};
    const stage = async <W extends { dispose(): void }, T>(
      name: BarkStage,
      { weights: part }: { weights: ResidentPart<W> },
      work: (weights: W, run: StageRun) => Promise<T>,
    ): Promise<T> => {
      const start = performance.now();
      const result = await part.use((weights) => work(weights, new StageRun(name, shared)), { signal, on_progress });
      milliseconds[name] = performance.now() - start;
      return result;
    };
    const semantic = await stage("semantic", this.semantic, (weights, run) =>
      generateSemantic(weights, ids, history, config.semantic_config, options.semantic, run),
    );
    const coarse = await stage("coarse", this.coarse_acoustics, (weights, run) =>
      generateCoarse(weights, semantic, history, config, options.coarse, run),
    );
    const frameCounts = framesOf(coarse, config);
    const codes = await stage("fine", this.fine_acoustics, (weights, run) =>
      generateFine(weights, coarse.tokens, history, config, options.fine, run),
    );
    const { n_fine_codebooks } = config.fine_acoustics_config;
    const fine = joinCodes(codes, n_fine_codebooks);
    const isAlone = return_output_lengths || isVoicePerRow(history);
    const audio = await stage("codec", this.codec_model, (weights, run) =>
      decodeCodes(weights, fine, isAlone ? frameCounts : undefined, run),
    );
    checkAudio(audio.data, this.#notice);
    return {
      audio,
      output_lengths: frameCounts.map((count) => count * this.config.codec_config.hop_length),
      semantic,
      coarse: coarse.tokens,
      coarse_lengths: coarse.lengths,
      fine,
      milliseconds: milliseconds as Record<BarkStage, number>,
    };
  }

  /**
   * Codes [batch, codebooks, frames] to audio [batch, samples]. With `output_lengths` (frames of each row) each row is
   * decoded alone and padded with zeros, else padding is decoded with it, as in transformers.
   */
  async codec_decode(fine: ArrayInput, output_lengths?: readonly number[] | null): Promise<NdArray<Float32Array>> {
    const codes = readFineCodes(fine, "fine");
    const lengths = readOutputLengths(output_lengths, codes);
    const run = new StageRun("codec", { seed: 0n });
    return await this.codec_model.weights.use((weights) => decodeCodes(weights, codes, lengths, run));
  }

  /**
   * Writes `config.json`, `generation_config.json` and `model.safetensors` into a folder, which is made if it is missing;
   * transformers loads it too. The weights are those of the checkpoint that this model was loaded from, in the dtype in
   * which they are stored there.
   * @throws EngineError `usage` in a page, `io`.
   */
  async save_pretrained(save_directory: string, options: SavePushOptions & object = {}): Promise<void> {
    // Loaded here: a page, which cannot save, fetches code for nothing.
    const { savePretrained } = await import("./load/push_to_hub.ts");
    await savePretrained(save_directory, options, "model", (folder, rest) => this.#save(folder, rest));
  }

  /**
   * Uploads the same files to a repository on the hub, as one commit, through `@huggingface/hub`.
   * @returns the address of the commit. @throws EngineError `usage` without a token or that package; `bad-input`, `io`.
   */
  async push_to_hub(repo_id: string, options: PushToHubOptions = {}): Promise<string> {
    const { pushToHub } = await import("./load/push_to_hub.ts");
    return await pushToHub(repo_id, options, "model", (folder) => this.#save(folder, {}));
  }

  async #save(directory: string, options: object): Promise<void> {
    const { SaveFolder } = await import("./load/save_folder.ts");
    const { saveModel } = await import("./load/save_weights.ts");
    const folder = await SaveFolder.create(directory, options);
    await this.generation_config.save_pretrained(directory);
    await saveModel(folder, { reader: this.#residency.reader, prefix: "" }, "BarkModel", this.config);
  }

  /** Frees everything on the GPU, and the device if this model opened it. Calls under way end with `usage`. */
  dispose(): void {
    this.#residency.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** How many codebooks of the codec the model speaks with. */
function codebooksOf({ codec_config }: BarkConfig, { fine_acoustics_config }: BarkGenerationConfig): number {
  return Math.min(fine_acoustics_config.n_fine_codebooks, codec_config.num_quantizers);
}

/** Frames of each row: a stage that was stopped early has fewer than belong to it. @throws EngineError `internal` for none. */
function framesOf({ lengths, tokens }: CoarseResult, config: BarkGenerationConfig): number[] {
  const { n_coarse_codebooks } = config.coarse_acoustics_config;
  if (lengths.some((length) => length >= n_coarse_codebooks))
    return lengths.map((length, row) => Math.floor(Math.min(length, tokens[row].length) / n_coarse_codebooks));
  throw endedAtOnce();
}
