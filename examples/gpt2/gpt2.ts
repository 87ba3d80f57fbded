/**
 * A second model on the same engine: GPT-2 from transformers' own file, decoded on the GPU with nothing but
 * `bark-webgpu/engine` and `bark-webgpu/kernels`. `npx tsx examples/gpt2/main.ts "The old man "`.
 */
import type { Gpu, Program, Scope, Tensor } from "bark-webgpu/engine";
import {
  attentionDecode,
  createLinear,
  decodeScratch,
  embedding,
  layernorm,
  matmul,
  sampleStep,
  stateFields,
  stateWidth,
} from "bark-webgpu/kernels";

/** The fields of config.json that the model needs, under transformers' names. */
export interface Gpt2Config {
  vocab_size: number;
  n_positions: number;
  n_embd: number;
  n_layer: number;
  n_head: number;
}

type Weights = ReadonlyMap<string, Float32Array<ArrayBuffer>>;

/** Tensors of a safetensors file of F32: 8 bytes with the length of a JSON header, the header, the values. */
export function readTensors(bytes: Uint8Array<ArrayBuffer>): Weights {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<
    string,
    { dtype: string; data_offsets: [number, number] }
  >;
  const values = bytes.slice(8 + length).buffer;
  const tensors = Object.entries(header).filter(([name]) => name !== "__metadata__");
  return new Map(
    tensors.map(
      ([
        name,
        {
          dtype,
          data_offsets: [from, to],
        },
      ]) => {
        if (dtype !== "F32") throw new Error(`${name} is ${dtype}: this example reads F32`);
        return [name, new Float32Array(values, from, (to - from) / 4)];
      },
    ),
  );
}

/** A GPT-2 that writes one text at a time. All that it makes belongs to the scope. */
export class Gpt2 {
  readonly #config: Gpt2Config;
  readonly #gpu: Gpu;
  /** The next token and its position, which the sampling kernel advances: nothing is written from token to token. */
  readonly #state: Tensor<"u32">;
  readonly #tokens: Tensor<"u32">;
  /** A token through all blocks. */
  readonly #body: Program;
  /** The head, and the pick of the next token. */
  readonly #tail: Program;

  constructor(scope: Scope, weights: Weights, config: Gpt2Config) {
    const { n_embd: width, n_head: heads, n_positions: capacity, vocab_size: vocabulary } = config;
    this.#config = config;
    this.#gpu = scope.gpu;
    const get = (name: string): Float32Array<ArrayBuffer> => {
      const found = weights.get(`transformer.${name}`);
      if (found === undefined) throw new Error(`the checkpoint has no transformer.${name}`);
      return found;
    };
    const vector = (name: string) => scope.tensorFrom("f32", [get(name).length], get(name), name);
    const norm = (name: string) => ({ weight: vector(`${name}.weight`), bias: vector(`${name}.bias`) });
    // GPT-2's Conv1D stores [inner, columns]; createLinear takes [columns, inner].
    const linear = (name: string, columns: number, inner: number) =>
      createLinear(scope, transpose(get(`${name}.weight`), inner, columns), columns, inner, name, {
        bias: get(`${name}.bias`),
      });
    const activations = (size: number, label: string) => scope.tensor("f32", [1, size], label);

    const tables = {
      table: scope.tensorFrom("f32", [1, vocabulary, width], get("wte.weight"), "wte"),
      positions: scope.tensorFrom("f32", [capacity, width], get("wpe.weight"), "wpe"),
      vocabulary,
      width,
    };
    const state = scope.tensor("u32", [1, stateWidth], "state");
    const x = activations(width, "x");
    const normed = activations(width, "normed");
    const wide = activations(4 * width, "wide");
    const logits = activations(vocabulary, "logits");
    const shape = { rows: 1, heads, headDim: width / heads, capacity };
    const scratch = decodeScratch(scope, shape);

    const body = scope.program("GPT-2 body");
    const field = (first: number) => ({ tensor: state, first, stride: stateWidth });
    embedding(body, tables, field(stateFields.token), x, 1, field(stateFields.position));
    for (let layer = 0; layer < config.n_layer; layer++) {
      const at = `h.${layer}`;
      const cache = {
        k: scope.tensor("f32", [1, capacity, width], "K"),
        v: scope.tensor("f32", [1, capacity, width], "V"),
      };
      layernorm(body, x, norm(`${at}.ln_1`), normed);
      matmul(body, normed, linear(`${at}.attn.c_attn`, 3 * width, width), wide);
      const attended = attentionDecode(body, { qkv: wide, state, cache, scratch, y: normed }, shape);
      // Some versions leave their result in parts, which the next product merges.
      const input = attended?.parts ?? normed;
      matmul(body, input, linear(`${at}.attn.c_proj`, width, width), x, { rows: 1, accumulate: true, attended });
      layernorm(body, x, norm(`${at}.ln_2`), normed);
      matmul(body, normed, linear(`${at}.mlp.c_fc`, 4 * width, width), wide, { gelu: true });
      matmul(body, wide, linear(`${at}.mlp.c_proj`, width, 4 * width), x, { accumulate: true });
    }

    const tail = scope.program("GPT-2 tail");
    layernorm(tail, x, norm("ln_f"), normed);
    // The head is the embedding, transposed.
    matmul(tail, normed, createLinear(scope, get("wte.weight"), vocabulary, width, "head"), logits);
    this.#tokens = scope.tensor("u32", [1, capacity], "tokens");
    const sizes = { rows: 1, vocabulary, capacity };
    sampleStep(tail, { logits, state, tokens: this.#tokens }, sizes, { ranges: [[0, vocabulary]], greedy: true });
    [this.#state, this.#body, this.#tail] = [state, body, tail];
  }

  /** `count` tokens after the prompt's, picked greedily. @throws Error if they do not fit. */
  async generate(prompt: readonly number[], count: number): Promise<number[]> {
    const { n_positions: most } = this.#config;
    if (prompt.length === 0 || prompt.length + count > most) throw new Error(`1 to ${most} tokens fit`);
    for (const [position, token] of prompt.entries()) {
      this.#state.write(Uint32Array.of(token, position, 0, 0));
      await this.#body.run();
    }
    // All steps in one submit: the first pick follows from the prompt.
    const steps = Array.from({ length: count - 1 }, () => [this.#body, this.#tail]).flat();
    await this.#gpu.submit([this.#tail, ...steps]);
    return Array.from(await this.#tokens.read(0, count));
  }
}

function transpose(values: Float32Array, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) result[column * rows + row] = values[row * columns + column];
  return result;
}
