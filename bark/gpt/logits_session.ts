import { EngineError } from "../../engine/errors.ts";
import type { Program } from "../../engine/program/program.ts";
import { Scope } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { stateFields, stateWidth } from "../../kernels/decode_state.ts";
import { CausalDecoder, idsOf, positionsError } from "./causal_decoder.ts";
import type { CausalWeights, PrefillInput } from "./causal_weights.ts";

/** The scores of the next token, a row of `output_vocab_size` for each sequence: what a search on the host works from. */
export interface LogitsSource {
  /** Of the token after each input. */
  prefill(inputs: readonly PrefillInput[], signal?: AbortSignal): Promise<Float32Array[]>;
  /**
   * Of the token after `tokens`, one a row.
   * @param origins the row whose past each row continues; default its own.
   */
  step(tokens: readonly number[], origins?: readonly number[]): Promise<Float32Array[]>;
  dispose(): void;
}

/** A decode whose tokens are picked on the host: it reads the scores back after every step, which costs a round trip a token. */
export class LogitsSession extends CausalDecoder implements LogitsSource {
  readonly #head: Program;
  /** Ids in the caches, a list a row; empty where embeddings were given. */
  #held: (readonly number[])[] = [];
  /** Positions in the caches. */
  #length = 0;
  /** Holds the rows of one cache while they change places. [rows, block_size, H] */
  #spare: Tensor<"f32"> | undefined;

  constructor(model: CausalWeights, rows: number) {
    super(model, rows);
    try {
      this.#head = this.scope.program("decode head");
      model.gpt.recordHead(this.#head, this.buffers, model.head, this.logits, { rows });
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  async prefill(inputs: readonly PrefillInput[], signal?: AbortSignal): Promise<Float32Array[]> {
    const held = this.#held;
    this.#held = [];
    this.#length = await this.fill(inputs, held, signal);
    this.#held = idsOf(inputs);
    await this.#head.run();
    return await this.#read();
  }

  /** @throws EngineError `usage` past the last position of the model. */
  async step(tokens: readonly number[], origins?: readonly number[]): Promise<Float32Array[]> {
    if (this.#length >= this.model.config.block_size) throw positionsError(this.model.config.block_size);
    this.#checkTokens(tokens);
    if (origins?.some((origin, row) => origin !== row)) await this.#reorder(origins);
    const state = new Uint32Array(this.rows * stateWidth);
    for (let row = 0; row < this.rows; row++) {
      state[row * stateWidth + stateFields.token] = tokens[row];
      state[row * stateWidth + stateFields.position] = this.#length;
    }
    this.state.write(state);
    this.#held = this.#held.map((ids, row) => (ids.length === 0 ? ids : [...ids, tokens[row]]));
    this.#length++;
    await this.model.gpu.submit([this.body, this.#head]);
    return await this.#read();
  }

  /** The GPU would read past its table, without any message. */
  #checkTokens(tokens: readonly number[]): void {
    const { vocabulary } = this.model.tables;
    const wrong = tokens.find((id) => id < 0 || id >= vocabulary);
    if (wrong === undefined) return;
    throw new EngineError("usage", `token ${wrong} cannot be fed back`, {
      where: "generate",
      expected: `ids from 0 to ${vocabulary - 1}`,
      actual: wrong,
      fix: "give a pad_token_id that the model has",
    });
  }

  async #read(): Promise<Float32Array[]> {
    const all = (await this.logits.read()) as Float32Array;
    await this.requireComputed();
    const width = all.length / this.rows;
    return Array.from({ length: this.rows }, (_, row) => all.slice(row * width, (row + 1) * width));
  }

  /** Gives each row the past of row `origins[row]`, by way of a spare cache: no row may be overwritten before it was copied. */
  async #reorder(origins: readonly number[]): Promise<void> {
    const { hidden_size: H, block_size: capacity } = this.model.config;
    this.#spare ??= this.scope.tensor("f32", [this.rows, capacity, H], "spare cache");
    const spare = this.#spare;
    const moved = origins.flatMap((origin, row) => (origin === row ? [] : [{ origin, row }]));
    const [stride, count] = [capacity * H, this.#length * H];
    await Scope.during(this.model.gpu, async (scope) => {
      const program = scope.program("reorder caches");
      for (const { k, v } of this.caches)
        for (const cache of [k, v]) {
          for (const { origin, row } of moved) program.copy(cache, origin * stride, spare, row * stride, count);
          for (const { row } of moved) program.copy(spare, row * stride, cache, row * stride, count);
        }
      await program.run();
    });
    this.#held = origins.map((origin) => this.#held[origin] ?? []);
  }
}
