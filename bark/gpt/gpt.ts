import type { Gpu } from "../../engine/gpu.ts";
import type { Scope } from "../../engine/scope.ts";
import type { Program } from "../../engine/program/program.ts";
import type { Recording } from "../../engine/program/recorder.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { attentionScratch } from "../../kernels/attention/attention.ts";
import type { Block } from "../../kernels/decode_blocks/decode_blocks.ts";
import type { Attended } from "../../kernels/attention/decode/decode.ts";
import { layernorm, type LayerNorm } from "../../kernels/layernorm/layernorm.ts";
import type { Linear } from "../../kernels/matmul/linear.ts";
import { fusesNorm, matmul, type MatmulOptions } from "../../kernels/matmul/matmul.ts";
import { loadTwoAtATime } from "./two_at_a_time.ts";
import type { WeightLoader } from "./weight_loader.ts";

export interface GptShape {
  readonly hiddenSize: number;
  readonly numHeads: number;
  readonly numLayers: number;
  /** Linear layers have biases. */
  readonly bias: boolean;
  /** Layer norms have biases: as `bias` in the causal models, always in the fine model. */
  readonly normBias: boolean;
}

/** Activations of one pass. */
export interface GptBuffers {
  /** The residual stream. [rows, H] */
  readonly x: Tensor<"f32">;
  /** A layer norm's output, then what attention gathered. [rows, H] */
  readonly narrow: Tensor<"f32">;
  /** qkv [rows, 3H], then the hidden layer of the MLP [rows, 4H]. */
  readonly wide: Tensor<"f32">;
  /** For the attention of `rows` queries over `keys` keys, where the version that is chosen needs it. */
  readonly scratch: Tensor<"f32"> | undefined;
}

/**
 * Records the attention of layer `layer` for rows `first` on of each sequence: qkv [rows, 3H] -> y [rows left, H], or what
 * it returns.
 */
export type Attend = (
  recording: Recording,
  layer: number,
  qkv: Tensor<"f32">,
  y: Tensor<"f32">,
  first: number,
) => Attended | undefined;

/** Rows `first` to the last one of each sequence of a pass, the only ones whose outcome is wanted, and where it is computed. */
export interface LastRows {
  readonly first: number;
  /** Sequences of one length that lie one after the other in the rows of the pass. */
  readonly sequences: number;
  /** Of their number of rows; `buffers.x` receives them. */
  readonly buffers: GptBuffers;
}

/** The blocks and the final norm that Bark's three GPTs share (bark-spec 3.1). */
export class Gpt {
  readonly gpu: Gpu;
  readonly shape: GptShape;
  readonly blocks: readonly Block[];
  readonly #finalNorm: LayerNorm;

  private constructor(gpu: Gpu, shape: GptShape, blocks: readonly Block[], finalNorm: LayerNorm) {
    this.gpu = gpu;
    this.shape = shape;
    this.blocks = blocks;
    this.#finalNorm = finalNorm;
  }

  /** Reads `layers.{i}.*` and `layernorm_final.*` under the loader's prefix. */
  static async load(loader: WeightLoader, shape: GptShape): Promise<Gpt> {
    const { hiddenSize: H, bias, normBias } = shape;
    const blocks: Block[] = [];
    for (let i = 0; i < shape.numLayers; i++) {
      const at = `layers.${i}`;
      const [norm1, qkv, attentionOut, norm2, mlpIn, mlpOut] = await loadTwoAtATime([
        () => loader.layerNorm(`${at}.layernorm_1`, H, normBias),
        () => loader.linear(`${at}.attn.att_proj`, 3 * H, H, bias),
        () => loader.linear(`${at}.attn.out_proj`, H, H, bias),
        () => loader.layerNorm(`${at}.layernorm_2`, H, normBias),
        () => loader.linear(`${at}.mlp.in_proj`, 4 * H, H, bias),
        () => loader.linear(`${at}.mlp.out_proj`, H, 4 * H, bias),
      ]);
      blocks.push({ norm1, qkv, attentionOut, norm2, mlpIn, mlpOut });
    }
    return new Gpt(loader.scope.gpu, shape, blocks, await loader.layerNorm("layernorm_final", H, normBias));
  }

  buffers(scope: Scope, rows: number, label: string, keys: number = rows): GptBuffers {
    const { hiddenSize: H, numHeads: heads } = this.shape;
    return {
      x: scope.tensor("f32", [rows, H], `${label} x`),
      narrow: scope.tensor("f32", [rows, H], `${label} narrow`),
      wide: scope.tensor("f32", [rows, 4 * H], `${label} wide`),
      scratch: attentionScratch(scope, { queries: rows, keys, heads, headDim: H / heads }),
    };
  }

  get layers(): number {
    return this.blocks.length;
  }

  /** Records all blocks over the first `rows` rows of `buffers.x`, in place, or of the last block only some rows. */
  recordBlocks(recording: Recording, buffers: GptBuffers, rows: number, attend: Attend, last?: LastRows): void {
    for (let layer = 0; layer < this.layers; layer++)
      this.recordBlock(recording, layer, buffers, rows, attend, layer === this.layers - 1 ? last : undefined);
  }

  /** Records block `layer` over the first `rows` rows of `buffers.x`, in place, or all that only some rows need of it. */
  recordBlock(
    recording: Recording,
    layer: number,
    buffers: GptBuffers,
    rows: number,
    attend: Attend,
    { first, sequences, buffers: to }: LastRows = { first: 0, sequences: 1, buffers },
  ): void {
    const { norm1, qkv, attentionOut, norm2, mlpIn, mlpOut } = this.blocks[layer];
    const H = this.shape.hiddenSize;
    const length = rows / sequences;
    const left = rows - sequences * first;
    const at = ({ inner, columns }: Linear, count: number): Program => recording.program(count * inner * columns);
    normedMatmul(at(qkv, rows), buffers, norm1, qkv, buffers.wide, { rows });
    const attended = attend(recording, layer, buffers.wide, to.narrow, first);
    if (to !== buffers)
      for (let i = 0; i < sequences; i++) {
        const count = (length - first) * H;
        recording.program(0).copy(buffers.x, (i * length + first) * H, to.x, i * count, count);
      }
    const input = attended?.parts ?? to.narrow;
    matmul(at(attentionOut, left), input, attentionOut, to.x, { rows: left, accumulate: true, attended });
    normedMatmul(at(mlpIn, left), to, norm2, mlpIn, to.wide, { rows: left, gelu: true });
    matmul(at(mlpOut, left), to.wide, mlpOut, to.x, { rows: left, accumulate: true });
  }

  /** Records the final norm and a head over rows 0..rows-1 of `buffers.x`. */
  recordHead(
    program: Program,
    buffers: GptBuffers,
    head: Linear,
    y: Tensor<"f32">,
    options: { rows: number; columnRange?: readonly [start: number, end: number] },
  ): void {
    normedMatmul(program, buffers, this.#finalNorm, head, y, options);
  }

  /** Records the final norm of rows 0..rows-1 of `x`. */
  recordFinalNorm(program: Program, x: Tensor<"f32">, y: Tensor<"f32">, rows: number): void {
    layernorm(program, x, this.#finalNorm, y, { rows });
  }
}

/** y = layer(norm(x)), in one dispatch where the product takes the norm in front. */
function normedMatmul(
  program: Program,
  { x, narrow }: GptBuffers,
  norm: LayerNorm,
  layer: Linear,
  y: Tensor<"f32">,
  options: MatmulOptions & { rows: number },
): void {
  if (fusesNorm(program, options.rows, layer.inner)) return matmul(program, x, layer, y, { ...options, norm });
  layernorm(program, x, norm, narrow, { rows: options.rows });
  matmul(program, narrow, layer, y, options);
}
