import { Recorder } from "../../../engine/program/recorder.ts";
import { Scope } from "../../../engine/scope.ts";
import type { Tensor } from "../../../engine/tensor.ts";
import { attention, type Rows } from "../../../kernels/attention/attention.ts";
import { attentionWeights } from "../../../kernels/attention/attention_weights.ts";
import { kvAppend } from "../../../kernels/attention/decode/decode.ts";
import { embedding, embeddingGiven } from "../../../kernels/embedding/embedding.ts";
import type { CausalWeights } from "../causal_weights.ts";
import type { Attend, GptBuffers } from "../gpt.ts";

/** A run that is over. */
export interface GeneratedTokens {
  /** Embeddings of what it was given: the slots, then the token behind which it began. [slots + 1, hidden_size] */
  readonly prompt: Float32Array<ArrayBuffer>;
  /** What it generated; at least one. */
  readonly tokens: readonly number[];
}

/**
 * What each generated token saw of the first `keys` slots, in one pass over the whole run. Softmax over these keys alone is
 * the attention on them, divided by its sum. Only that is read back, layer by layer: all attentions of 1024 positions in 24
 * layers would be 1.6 GB.
 * @yields the weights of each layer in turn, [heads, tokens, keys]; each row has the sum 1.
 * @throws EngineError `aborted`, `device-lost`.
 */
export async function* slotAttention(
  model: CausalWeights,
  { prompt, tokens }: GeneratedTokens,
  keys: number,
  signal?: AbortSignal,
): AsyncGenerator<Float32Array, void, undefined> {
  const { gpt, gpu } = model;
  const { hidden_size: width, num_heads: heads } = model.config;
  const given = prompt.length / width;
  // The last token answers, and is asked nothing.
  const length = given + tokens.length - 1;
  const scope = new Scope(gpu);
  try {
    const f32 = (extents: number[], label: string): Tensor<"f32"> => scope.tensor("f32", extents, `slots ${label}`);
    const buffers = gpt.buffers(scope, length, "slots");
    const cache = { k: f32([length, width], "keys"), v: f32([length, width], "values") };
    const weights = f32([heads, tokens.length, keys], "weights");
    const rows = (tensor: Tensor<"f32">, columns: number, first = 0): Rows => {
      return { tensor, first: first * columns, stride: columns };
    };
    const shape = { heads, headDim: width / heads, causal: true };
    const attend: Attend = (recording, _layer, qkv, y) => {
      const program = recording.program(3 * length * length * width);
      kvAppend(program, qkv, cache, { rows: length, width, first: 0 });
      const [k, v] = [rows(cache.k, width), rows(cache.v, width)];
      const all = { ...shape, queries: length, keys: length, scratch: buffers.scratch };
      attention(program, rows(qkv, 3 * width), k, v, y, all);
      const generated = { ...shape, queries: tokens.length, keys, past: given - 1 };
      attentionWeights(program, rows(qkv, 3 * width, given - 1), k, weights, generated);
      return undefined;
    };
    await embedInput(scope, model, { prompt, tokens }, buffers);
    for (let layer = 0; layer < gpt.layers; layer++) {
      await Scope.during(gpu, async (ofLayer) => {
        const recorder = new Recorder(ofLayer, "attention on the text");
        gpt.recordBlock(recorder, layer, buffers, length, attend);
        await recorder.run(signal);
      });
      yield (await weights.read()) as Float32Array;
    }
  } finally {
    scope.dispose();
  }
}

/** Puts the embeddings of prompt and tokens, with their positions, into `buffers.x`. */
async function embedInput(
  scope: Scope,
  { tables }: CausalWeights,
  { prompt, tokens }: GeneratedTokens,
  { x, narrow }: GptBuffers,
): Promise<void> {
  const given = prompt.length / tables.width;
  const more = tokens.length - 1;
  const positions = Uint32Array.from({ length: given + more }, (_, i) => i);
  const tensor = scope.tensorFrom("u32", [given + more], positions, "slots positions");
  const embedded = scope.tensorFrom("f32", [given, tables.width], prompt, "slots prompt");
  const program = scope.program("slots embeddings");
  embeddingGiven(program, embedded, tables.positions, { tensor }, x, given);
  if (more > 0) {
    // The GPU's table holds every id that can be generated.
    const ids = scope.tensorFrom("u32", [more], Uint32Array.from(tokens.slice(0, more)), "slots ids");
    embedding(program, tables, { tensor: ids }, narrow, more, { tensor, first: given });
    program.copy(narrow, 0, x, given * tables.width, more * tables.width);
  }
  await program.run();
}
