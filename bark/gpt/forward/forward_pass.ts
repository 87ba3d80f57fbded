import type { Gpu } from "../../../engine/gpu.ts";
import type { Program } from "../../../engine/program/program.ts";
import { into } from "../../../engine/program/recorder.ts";
import { Scope } from "../../../engine/scope.ts";
import type { Tensor } from "../../../engine/tensor.ts";
import { attention, type AttentionShape, type Rows } from "../../../kernels/attention/attention.ts";
import { attentionWeights } from "../../../kernels/attention/attention_weights.ts";
import { kvAppend } from "../../../kernels/attention/decode/decode.ts";
import { embedding, embeddingGiven, type EmbeddingTables } from "../../../kernels/embedding/embedding.ts";
import type { Linear } from "../../../kernels/matmul/linear.ts";
import { matmul } from "../../../kernels/matmul/matmul.ts";
import type { Gpt, GptBuffers } from "../gpt.ts";
import { mergeHeads, splitHeads, type DynamicCache } from "./dynamic_cache.ts";
import type { InputRow } from "./forward_inputs.ts";
import type { FloatArray } from "./model_output.ts";
import { allocateOutput, type PassOutput, type Wanted } from "./pass_output.ts";

/** The parts of a GPT that a pass runs through. */
export interface PassModel {
  readonly gpt: Gpt;
  readonly tables: EmbeddingTables & { readonly positions: Tensor<"f32"> | Tensor<"f16"> };
  /** Ids of one position, each embedded by a table of its own; their embeddings are summed. */
  readonly idsPerPosition: number;
  readonly head: Linear;
  readonly causal: boolean;
}

/**
 * Runs rows of one length through a GPT, after those in `past`, and reads back what is wanted. Rows run one after the
 * other, and every layer in its own submit: an answer can be many times the size of the model (the attentions of 1024
 * positions take 50 MB a layer), so only one layer's lies on the GPU at a time.
 */
export async function forwardPass(
  model: PassModel,
  rows: readonly InputRow[],
  past: DynamicCache | null,
  wanted: Wanted,
): Promise<PassOutput> {
  const { gpt, head } = model;
  const { numHeads: heads, hiddenSize: width, numLayers: layers } = gpt.shape;
  const length = rows[0].positions.length;
  const keys = length + (past?.get_seq_length() ?? 0);
  const shape = { batch: rows.length, length, keys, layers, heads, headDim: width / heads, columns: head.columns };
  const output = allocateOutput(shape, wanted);
  return await Scope.during(gpt.gpu, async (scope) => {
    const f32 = (extents: number[], label: string): Tensor<"f32"> => scope.tensor("f32", extents, `forward ${label}`);
    const work: Work = {
      model,
      buffers: gpt.buffers(scope, length, "forward", keys),
      keys: f32([keys, width], "keys"),
      values: f32([keys, width], "values"),
      weights: wanted.attentions ? f32([heads, length, keys], "attentions") : undefined,
      logits: f32([length, head.columns], "logits"),
    };
    for (const [index, row] of rows.entries()) await runRow(work, row, index, past, output);
    return output;
  });
}

/** What lies on the GPU during a pass. */
interface Work {
  readonly model: PassModel;
  readonly buffers: GptBuffers;
  /** Of one layer, past included. [keys, hidden_size] */
  readonly keys: Tensor<"f32">;
  readonly values: Tensor<"f32">;
  /** Of one layer. [heads, length, keys] */
  readonly weights: Tensor<"f32"> | undefined;
  /** [length, output_vocab_size] */
  readonly logits: Tensor<"f32">;
}

async function runRow(work: Work, row: InputRow, index: number, past: DynamicCache | null, output: PassOutput) {
  const { model, buffers, weights, logits } = work;
  const { gpt, head, causal } = model;
  const { numHeads: heads, hiddenSize } = gpt.shape;
  const queries = row.positions.length;
  const keys = work.keys.shape[0];
  await Scope.during(gpt.gpu, async (scope) => {
    const mask = row.mask && scope.tensorFrom("u32", [keys], row.mask, "forward mask");
    const { scratch } = buffers;
    const shape = { queries, keys, heads, headDim: hiddenSize / heads, past: keys - queries, causal, mask, scratch };
    await submit(gpt.gpu, "embeddings", (program) => recordEmbeddings(program, work, row, scope));
    for (let layer = 0; layer < gpt.layers; layer++) {
      await keepRow(output.hiddenStates[layer], index, buffers.x);
      writePast(work, past, layer, index);
      await submit(gpt.gpu, `layer ${layer}`, (program) =>
        gpt.recordBlock(into(program), layer, buffers, queries, (_recording, _layer, qkv, y) => {
          recordAttention(program, work, shape, qkv, y);
        }),
      );
      await keepCache(work, output, layer, index);
      await keepRow(output.attentions[layer], index, weights);
    }
    await submit(gpt.gpu, "head", (program) => {
      gpt.recordFinalNorm(program, buffers.x, buffers.narrow, queries);
      matmul(program, buffers.narrow, head, logits, { rows: queries });
    });
    await keepRow(output.hiddenStates[gpt.layers], index, buffers.narrow);
    await keepRow(output.logits, index, logits);
  });
}

async function submit(gpu: Gpu, label: string, record: (program: Program) => void): Promise<void> {
  await Scope.during(gpu, async (scope) => {
    const program = scope.program(`forward ${label}`);
    record(program);
    await program.run();
  });
}

function recordEmbeddings(program: Program, { model, buffers }: Work, row: InputRow, scope: Scope): void {
  const { tables, idsPerPosition } = model;
  const { input, positions } = row;
  const length = positions.length;
  const at = { tensor: scope.tensorFrom("u32", [length], positions, "forward positions") };
  if (input instanceof Float32Array) {
    const given = scope.tensorFrom("f32", [length, tables.width], input, "forward embeddings");
    return embeddingGiven(program, given, tables.positions, at, buffers.x, length);
  }
  const ids = scope.tensorFrom("u32", [length, idsPerPosition], input, "forward ids");
  const strided = { tensor: ids, stride: idsPerPosition, tables: idsPerPosition, tableStride: 1 };
  embedding(program, tables, strided, buffers.x, length, at);
}

function recordAttention(
  program: Program,
  { keys, values, weights }: Work,
  shape: AttentionShape & { past: number },
  qkv: Tensor<"f32">,
  y: Tensor<"f32">,
): void {
  const width = shape.heads * shape.headDim;
  const first = shape.past * width;
  kvAppend(program, qkv, { k: keys, v: values }, { rows: shape.queries, width, first });
  const q: Rows = { tensor: qkv, first: 0, stride: 3 * width };
  const k: Rows = { tensor: keys, first: 0, stride: width };
  attention(program, q, k, { tensor: values, first: 0, stride: width }, y, shape);
  if (weights !== undefined) attentionWeights(program, q, k, weights, shape);
}

/** Writes a row's past keys and values of a layer in front of the new ones. */
function writePast({ model, keys, values }: Work, past: DynamicCache | null, layer: number, index: number): void {
  if (past === null || past.get_seq_length() === 0) return;
  const { numHeads: heads, hiddenSize } = model.gpt.shape;
  const seen = past.layers[layer];
  keys.write(mergeHeads(seen.keys.row(index).data, heads, hiddenSize / heads));
  values.write(mergeHeads(seen.values.row(index).data, heads, hiddenSize / heads));
}

async function keepCache({ model, keys, values }: Work, output: PassOutput, layer: number, index: number) {
  const kept = output.cache[layer];
  if (kept === undefined) return;
  const { numHeads: heads, hiddenSize } = model.gpt.shape;
  // One after the other: if one of two parallel reads failed, the other's tensor would be freed under it.
  const k = await keys.read();
  const v = await values.read();
  kept.keys.row(index).data.set(splitHeads(k as Float32Array, heads, hiddenSize / heads));
  kept.values.row(index).data.set(splitHeads(v as Float32Array, heads, hiddenSize / heads));
}

/** Reads a tensor into one row of an answer, if that answer is wanted. */
async function keepRow(array: FloatArray | undefined, index: number, tensor: Tensor<"f32"> | undefined): Promise<void> {
  if (array === undefined || tensor === undefined) return;
  array.row(index).data.set(await tensor.read());
}
