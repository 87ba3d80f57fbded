import { openWeights } from "../convert/open_weights.ts";
import { EncodecDecoder } from "../encodec/decoder.ts";
import { EngineError } from "../engine/errors.ts";
import type { Gpu } from "../engine/gpu.ts";
import { NdArray } from "../engine/ndarray.ts";
import type { WeightFormat } from "../engine/shader_source.ts";
import type { TensorReader } from "../engine/tensor_reader.ts";
import { generateCoarse } from "./coarse_stage.ts";
import { BarkConfig } from "./config.ts";
import { generateFine } from "./fine_stage.ts";
import { checkGenerate, checkGenerationFits } from "./generation_checks.ts";
import type { GenerateKwargs } from "./generate_options.ts";
import { BarkGenerationConfig } from "./generation_config.ts";
import { chooseFormat, gpuOf, type FromPretrainedOptions } from "./load_options.ts";
import { LoadProgress } from "./load_progress.ts";
import type { BarkOutput, BarkProgress, BarkStage } from "./output.ts";
import { rowsOf } from "./planning.ts";
import { SaveFolder } from "./save_folder.ts";
import { saveWeights } from "./save_weights.ts";
import { generateSemantic } from "./semantic_stage.ts";
import { StageRun } from "./stage_run.ts";
import { openCheckpoint, type CheckpointSource } from "./store.ts";
import { BarkCoarseModel, BarkFineModel, BarkSemanticModel } from "./sub_models.ts";
import type { HistoryPrompt } from "./voices.ts";

/** Keywords of {@link BarkModel.generate}: those of transformers, and ours for seed, stop and progress. */
export interface BarkGenerateKwargs extends GenerateKwargs {
  /** Ids of the tokenizer. [batch, length] */
  input_ids: NdArray | readonly (readonly number[])[];
  /** A voice, for all rows. */
  history_prompt?: HistoryPrompt | null;
  /** Decode each row alone to its own length and give the lengths too. */
  return_output_lengths?: boolean;
  /** Of all random draws, 64 bits. Default: drawn. */
  seed?: number | bigint;
  /** Stops the run at the next readback. */
  signal?: AbortSignal;
  on_progress?: (progress: BarkProgress) => void;
}

/** Bark: text to audio through a semantic, a coarse and a fine GPT and the EnCodec decoder. */
export class BarkModel {
  readonly config: BarkConfig;
  readonly generation_config: BarkGenerationConfig;
  readonly gpu: Gpu;
  readonly dtype: WeightFormat;
  readonly semantic: BarkSemanticModel;
  readonly coarse_acoustics: BarkCoarseModel;
  readonly fine_acoustics: BarkFineModel;
  readonly codec_model: EncodecDecoder;
  readonly #reader: TensorReader;
  readonly #ownsGpu: boolean;

  private constructor(parts: {
    config: BarkConfig;
    generation_config: BarkGenerationConfig;
    gpu: Gpu;
    dtype: WeightFormat;
    semantic: BarkSemanticModel;
    coarse_acoustics: BarkCoarseModel;
    fine_acoustics: BarkFineModel;
    codec_model: EncodecDecoder;
    reader: TensorReader;
    ownsGpu: boolean;
  }) {
    this.config = parts.config;
    this.generation_config = parts.generation_config;
    this.gpu = parts.gpu;
    this.dtype = parts.dtype;
    this.semantic = parts.semantic;
    this.coarse_acoustics = parts.coarse_acoustics;
    this.fine_acoustics = parts.fine_acoustics;
    this.codec_model = parts.codec_model;
    this.#reader = parts.reader;
    this.#ownsGpu = parts.ownsGpu;
  }

  /**
   * Loads a checkpoint of Hugging Face's layout or suno's: a directory, a URL or an opened store.
   * @throws EngineError `bad-input` naming the file and what is wrong; `no-adapter`; `limit`.
   */
  static async from_pretrained(source: CheckpointSource, options: FromPretrainedOptions = {}): Promise<BarkModel> {
    const store = await openCheckpoint(source);
    const config = await BarkConfig.from_pretrained(store);
    const generation_config = await BarkGenerationConfig.from_pretrained(store);
    checkGenerationFits(generation_config, config);
    const checkpoint = await openWeights(store);
    const reader = new LoadProgress(checkpoint, options);
    const gpu = await gpuOf(options);
    const ownsGpu = options.gpu === undefined;
    try {
      const dtype = chooseFormat(reader, "semantic.", options.dtype);
      const parts = await loadParts(gpu, reader, config, generation_config, dtype);
      return new BarkModel({ config, generation_config, gpu, dtype, ...parts, reader: checkpoint, ownsGpu });
    } catch (error) {
      await reader.close();
      if (ownsGpu) gpu.dispose();
      throw error;
    }
  }

  /**
   * Speaks: audio [batch, samples] float32, unclipped; with `return_output_lengths` also how many samples of each row
   * are its own. @throws EngineError `usage`, `bad-input`, `aborted`, `device-lost`.
   */
  async generate(
    kwargs: BarkGenerateKwargs & { return_output_lengths: true },
  ): Promise<[NdArray<Float32Array>, number[]]>;
  async generate(kwargs: BarkGenerateKwargs & { return_output_lengths?: false }): Promise<NdArray<Float32Array>>;
  async generate(kwargs: BarkGenerateKwargs): Promise<NdArray<Float32Array> | [NdArray<Float32Array>, number[]]> {
    const { audio, output_lengths } = await this.generate_output(kwargs);
    return kwargs.return_output_lengths ? [audio, [...output_lengths]] : audio;
  }

  /** {@link generate} with the tokens and times of every stage. */
  async generate_output(kwargs: BarkGenerateKwargs): Promise<BarkOutput> {
    const {
      input_ids,
      history_prompt = null,
      return_output_lengths = false,
      seed,
      signal,
      on_progress,
      ...rest
    } = kwargs;
    const config = this.generation_config;
    const options = checkGenerate(rest, history_prompt, config, this.config);
    const ids = rowsOf(input_ids, "input_ids");
    const milliseconds: Partial<Record<BarkStage, number>> = {};
    const shared = { seed: seed === undefined ? randomSeed() : BigInt(seed), signal, onProgress: on_progress };
    const time = async <T>(stage: BarkStage, work: (run: StageRun) => Promise<T>): Promise<T> => {
      const run = new StageRun(stage, shared);
      const result = await work(run);
      milliseconds[stage] = run.milliseconds;
      return result;
    };
    const semantic = await time("semantic", (run) =>
      generateSemantic(this.semantic, ids, history_prompt, config.semantic_config, options.semantic, run),
    );
    const coarse = await time("coarse", (run) =>
      generateCoarse(this.coarse_acoustics, semantic, history_prompt, config, options.coarse, run),
    );
    const { n_coarse_codebooks } = config.coarse_acoustics_config;
    const frameCounts = coarse.lengths.map((length) => Math.floor(length / n_coarse_codebooks));
    const frames = Math.max(...frameCounts);
    if (frames === 0)
      throw new EngineError("internal", "the model ended before it spoke", {
        where: "semantic",
        fix: "try another text, voice or seed, or a smaller min_eos_p",
      });
    const codes = await time("fine", (run) =>
      generateFine(this.fine_acoustics, coarse.tokens, history_prompt, config, options.fine, run),
    );
    const { n_fine_codebooks } = config.fine_acoustics_config;
    const fine = new NdArray(concatenate(codes), [ids.length, n_fine_codebooks, frames]);
    const audio = await time("codec", (run) =>
      this.#decode(fine, return_output_lengths ? frameCounts : undefined, run),
    );
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
  async codec_decode(fine: NdArray, output_lengths?: readonly number[]): Promise<NdArray<Float32Array>> {
    return await this.#decode(fine, output_lengths, new StageRun("codec", { seed: 0n }));
  }

  /**
   * Writes `config.json`, `generation_config.json` and `model.safetensors` into a folder, which is made if it is missing;
   * transformers loads it too. The weights are those of the checkpoint that this model was loaded from, in the dtype in
   * which they are stored there.
   * @throws EngineError `usage` in a page, `io`.
   */
  async save_pretrained(save_directory: string): Promise<void> {
    const folder = await SaveFolder.create(save_directory);
    await this.generation_config.save_pretrained(save_directory);
    await saveWeights(this.#reader, folder);
    // Last: a folder without it does not look like a checkpoint.
    await folder.writeJson("config.json", { architectures: ["BarkModel"], ...this.config.to_dict() });
  }

  /** Frees everything on the GPU, and the device if this model opened it. */
  dispose(): void {
    for (const part of [this.semantic, this.coarse_acoustics, this.fine_acoustics, this.codec_model]) part.dispose();
    void this.#reader.close();
    if (this.#ownsGpu) this.gpu.dispose();
  }

  async #decode(fine: NdArray, lengths: readonly number[] | undefined, run: StageRun): Promise<NdArray<Float32Array>> {
    const [batch, , frames] = fine.shape;
    const { hop_length, audio_channels } = this.config.codec_config;
    const samples = (lengths === undefined ? frames : Math.max(...lengths)) * hop_length * audio_channels;
    const audio = new Float32Array(batch * samples);
    for (let row = 0; row < batch; row++) {
      const count = lengths?.[row] ?? frames;
      if (count === 0) continue;
      const decoded = await this.codec_model.decode(framesFirst(fine.row(row), count), count, {
        ...(run.signal ? { signal: run.signal } : {}),
        onProgress: (done, total) => run.report(Math.round((row + done / total) * frames), batch * frames),
      });
      audio.set(decoded.data, row * samples);
    }
    return new NdArray(
      audio,
      audio_channels === 1 ? [batch, samples] : [batch, audio_channels, samples / audio_channels],
    );
  }
}

async function loadParts(
  gpu: Gpu,
  reader: TensorReader,
  config: BarkConfig,
  generation: BarkGenerationConfig,
  dtype: WeightFormat,
): Promise<Pick<BarkModel, "semantic" | "coarse_acoustics" | "fine_acoustics" | "codec_model">> {
  const { semantic_config, coarse_acoustics_config, fine_acoustics_config, codec_config } = config;
  const { n_fine_codebooks } = generation.fine_acoustics_config;
  const loaded: { dispose(): void }[] = [];
  const keep = <T extends { dispose(): void }>(part: T): T => {
    loaded.push(part);
    return part;
  };
  try {
    return {
      semantic: keep(await BarkSemanticModel.load(gpu, reader, "semantic.", semantic_config, dtype)),
      coarse_acoustics: keep(
        await BarkCoarseModel.load(gpu, reader, "coarse_acoustics.", coarse_acoustics_config, dtype),
      ),
      fine_acoustics: keep(await BarkFineModel.load(gpu, reader, "fine_acoustics.", fine_acoustics_config, dtype)),
      codec_model: await EncodecDecoder.load(gpu, reader, "codec_model.", codec_config, n_fine_codebooks),
    };
  } catch (error) {
    for (const part of loaded) part.dispose();
    throw error;
  }
}

function randomSeed(): bigint {
  return crypto.getRandomValues(new BigUint64Array(1))[0];
}

function concatenate(arrays: readonly Int32Array<ArrayBuffer>[]): Int32Array<ArrayBuffer> {
  const result = new Int32Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let offset = 0;
  for (const array of arrays) {
    result.set(array, offset);
    offset += array.length;
  }
  return result;
}

/** The first `count` frames of codes [codebooks, frames] as [count, codebooks]. */
function framesFirst(codes: NdArray, count: number): Int32Array<ArrayBuffer> {
  const [books, frames] = codes.shape;
  return Int32Array.from({ length: count * books }, (_, i) => codes.data[(i % books) * frames + Math.floor(i / books)]);
}
