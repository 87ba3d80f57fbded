import { EngineError } from "../../engine/errors.ts";
import type { Gpu } from "../../engine/gpu.ts";
import type { MatrixFormat } from "../../engine/dtypes.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { TensorReader } from "../../engine/weights/tensor_reader.ts";
import type { EmbeddingTables } from "../../kernels/embedding/embedding.ts";
import type { Linear } from "../../kernels/matmul/linear.ts";
import { Scope } from "../../engine/scope.ts";
import { Gpt } from "./gpt.ts";
import type { ResidentBlocks } from "./resident_blocks.ts";
import { chooseDecodeBlocks } from "../../kernels/choose.ts";
import type { BarkSubModelConfig } from "../config/sub_model_config.ts";
import { VoicePrefixes } from "./voice_prefixes.ts";
import { WeightLoader } from "./weight_loader.ts";

/** One sequence of a prefill: ids that the GPU's table holds, or embeddings [length, hidden_size]. */
export type PrefillInput = { readonly ids: readonly number[] } | { readonly embeddings: Float32Array<ArrayBuffer> };

/**
 * The weights of a causal GPT (semantic or coarse) on the GPU. The GPU's token table holds only the rows that can be fed
 * back (ids below `output_vocab_size`); Bark's semantic table has 120,000 more rows of text (398 MB in bark-small),
 * of which a run needs at most 256: those are gathered from the file.
 */
export class CausalWeights {
  readonly gpu: Gpu;
  readonly config: BarkSubModelConfig;
  readonly gpt: Gpt;
  readonly tables: EmbeddingTables & { readonly positions: Tensor<"f32"> | Tensor<"f16"> };
  readonly head: Linear;
  /** Where a step of one row is one dispatch. */
  readonly resident: ResidentBlocks | undefined;
  readonly prefixes: VoicePrefixes;
  readonly #loader: WeightLoader;

  private constructor(
    loader: WeightLoader,
    config: BarkSubModelConfig,
    gpt: Gpt,
    tables: CausalWeights["tables"],
    head: Linear,
    resident: ResidentBlocks | undefined,
  ) {
    this.gpu = loader.scope.gpu;
    this.config = config;
    this.gpt = gpt;
    this.tables = tables;
    this.head = head;
    this.resident = resident;
    this.prefixes = new VoicePrefixes(this.gpu, config);
    this.#loader = loader;
  }

  /** Loads the tensors under `prefix`. @throws EngineError `bad-input` naming a missing or misshapen tensor. */
  static async load(
    gpu: Gpu,
    reader: TensorReader,
    prefix: string,
    config: BarkSubModelConfig,
    format: MatrixFormat,
  ): Promise<CausalWeights> {
    return await Scope.whole(gpu, (scope) =>
      CausalWeights.#load(new WeightLoader(scope, reader, prefix, format), config),
    );
  }

  static async #load(loader: WeightLoader, config: BarkSubModelConfig): Promise<CausalWeights> {
    const { hidden_size: width, input_vocab_size, output_vocab_size, block_size } = config;
    const vocabulary = Math.min(input_vocab_size, output_vocab_size);
    const tables = {
      table: await loader.table("input_embeds_layer.weight", input_vocab_size, vocabulary, width),
      positions: await loader.table("position_embeds_layer.weight", block_size, block_size, width),
      vocabulary,
      width,
    };
    const gpt = await Gpt.load(loader, {
      hiddenSize: width,
      numHeads: config.num_heads,
      numLayers: config.num_layers,
      bias: config.bias,
      normBias: config.bias,
    });
    const head = await loader.head("lm_head.weight", output_vocab_size, width);
    const isResident = chooseDecodeBlocks(loader.scope.gpu) !== undefined;
    const resident = isResident
      ? await (await import("./resident_blocks.ts")).ResidentBlocks.of(loader.scope, gpt, config)
      : undefined;
    return new CausalWeights(loader, config, gpt, tables, head, resident);
  }

  /** Ids as the GPU's table can embed them, or embedded here where one lies beyond that table. */
  async prefillInput(ids: readonly number[]): Promise<PrefillInput> {
    this.#checkIds(ids);
    if (ids.every((id) => id < this.tables.vocabulary)) return { ids };
    return { embeddings: await this.gatherEmbeddings(ids) };
  }

  /**
   * Rows `ids` of the whole token table, read from the file. [ids.length, hidden_size]
   * @param where the ids come from, for errors.
   */
  async gatherEmbeddings(ids: readonly number[], where?: string): Promise<Float32Array<ArrayBuffer>> {
    this.#checkIds(ids, where);
    return await this.#loader.reader.gatherRows(`${this.#loader.prefix}input_embeds_layer.weight`, ids);
  }

  /** The GPU does not check ids, and one past the table would silently read another row. */
  #checkIds(ids: readonly number[], where = this.#loader.prefix.replace(/\.$/, "")): void {
    const wrong = ids.find((id) => id < 0 || id >= this.config.input_vocab_size);
    if (wrong === undefined) return;
    throw new EngineError("bad-input", `token id ${wrong} is outside the vocabulary`, {
      where,
      expected: `0 to ${this.config.input_vocab_size - 1}`,
      actual: wrong,
      fix: "check that tokenizer, voice and checkpoint belong together",
    });
  }

  dispose(): void {
    this.prefixes.dispose();
    this.#loader.scope.dispose();
  }
}
