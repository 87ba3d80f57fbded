import type { Gpu } from "../../engine/gpu.ts";
import type { Recording } from "../../engine/program/recorder.ts";
import type { MatrixFormat } from "../../engine/dtypes.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { Scope } from "../../engine/scope.ts";
import type { TensorReader } from "../../engine/weights/tensor_reader.ts";
import { attention, type Rows } from "../../kernels/attention/attention.ts";
import { embedding, type EmbeddingTables } from "../../kernels/embedding/embedding.ts";
import type { Linear } from "../../kernels/matmul/linear.ts";
import { matmul } from "../../kernels/matmul/matmul.ts";
import type { BarkFineConfig } from "../config/config.ts";
import { fineTableNames } from "../load/expected_tensors.ts";
import { Gpt, type Attend, type GptBuffers } from "./gpt.ts";
import { WeightLoader } from "./weight_loader.ts";

type FineTables = EmbeddingTables & { readonly positions: Tensor<"f32"> | Tensor<"f16"> };

/** The weights of the fine model on the GPU: a non-causal GPT with one token table and one head a codebook. */
export class FineWeights {
  readonly gpu: Gpu;
  readonly config: BarkFineConfig;
  readonly gpt: Gpt;
  readonly tables: FineTables;
  /** Head i predicts codebook i + n_codes_given. */
  readonly heads: readonly Linear[];
  readonly #scope: Scope;
  readonly #positionIds: Tensor<"u32">;

  private constructor(scope: Scope, config: BarkFineConfig, gpt: Gpt, tables: FineTables, heads: readonly Linear[]) {
    this.gpu = scope.gpu;
    this.#scope = scope;
    this.config = config;
    this.gpt = gpt;
    this.tables = tables;
    this.heads = heads;
    const positions = Uint32Array.from({ length: config.block_size }, (_, i) => i);
    this.#positionIds = scope.tensorFrom("u32", [config.block_size], positions, "positions");
  }

  /**
   * Loads the tensors under `prefix`. Heads are tied to the embedding tables (`lm_heads.i` is `input_embeds_layers.{i+1}`,
   * bark-spec 2.1), and files may hold either name of a pair: what is missing is taken from its twin.
   */
  static async load(
    gpu: Gpu,
    reader: TensorReader,
    prefix: string,
    config: BarkFineConfig,
    format: MatrixFormat,
  ): Promise<FineWeights> {
    return await Scope.whole(gpu, (scope) =>
      FineWeights.#load(new WeightLoader(scope, reader, prefix, format), config),
    );
  }

  static async #load(loader: WeightLoader, config: BarkFineConfig): Promise<FineWeights> {
    const { hidden_size: width, input_vocab_size, head_vocab_size, n_codes_total, n_codes_given } = config;
    const books = Array.from({ length: n_codes_total }, (_, codebook) => fineTableNames(codebook, config));
    const table = await loader.tables(
      books.map(({ table }) => loader.first(table)),
      input_vocab_size,
      width,
      "input_embeds_layers",
    );
    const heads: Linear[] = [];
    for (const { head } of books.slice(n_codes_given))
      heads.push(await loader.head(loader.first(head), head_vocab_size, width));
    const gpt = await Gpt.load(loader, {
      hiddenSize: width,
      numHeads: config.num_heads,
      numLayers: config.num_layers,
      bias: config.bias,
      normBias: true,
    });
    const positions = await loader.table("position_embeds_layer.weight", config.block_size, config.block_size, width);
    const tables = { table, positions, vocabulary: input_vocab_size, width };
    return new FineWeights(loader.scope, config, gpt, tables, heads);
  }

  /**
   * Records one pass: logits of codebook `codebook` at positions firstPosition..positions-1 of the window that begins at
   * `codes` element `firstCode`. The input sums codebooks 0..codebook, the predicted one included.
   * @param last buffers for positions firstPosition on, to which the last block is confined: `buffers` itself if that is all.
   * @param codes [frames, n_codes_total] u32. @param logits [positions - firstPosition, head_vocab_size].
   * @param columns how many columns of the head are needed.
   */
  recordPass(
    recording: Recording,
    codebook: number,
    window: { codes: Tensor<"u32">; firstCode: number; positions: number; firstPosition: number },
    { buffers, last }: { buffers: GptBuffers; last: GptBuffers },
    logits: Tensor<"f32">,
    columns: number,
  ): void {
    const { n_codes_total, n_codes_given, hidden_size: H, num_heads: heads } = this.config;
    const { codes, firstCode, positions: rows, firstPosition } = window;
    embedding(
      recording.program(0),
      this.tables,
      { tensor: codes, first: firstCode, stride: n_codes_total, tables: codebook + 1, tableStride: 1 },
      buffers.x,
      rows,
      { tensor: this.#positionIds },
    );
    const left = rows - firstPosition;
    const attend: Attend = (_recording, _layer, qkv, y, first) => {
      const part = (index: number, row = 0): Rows => ({ tensor: qkv, first: (row * 3 + index) * H, stride: 3 * H });
      const { scratch } = buffers;
      const shape = { queries: rows - first, keys: rows, heads, headDim: H / heads, causal: false, scratch };
      attention(recording.program(2 * rows * rows * H), part(0, first), part(1), part(2), y, shape);
    };
    this.gpt.recordBlocks(recording, buffers, rows, attend, { first: firstPosition, sequences: 1, buffers: last });
    const head = this.heads[codebook - n_codes_given];
    const program = recording.program(left * H * columns);
    this.gpt.recordFinalNorm(program, last.x, last.narrow, left);
    matmul(program, last.narrow, head, logits, { rows: left, columnRange: [0, columns] });
  }

  dispose(): void {
    this.#scope.dispose();
  }
}
