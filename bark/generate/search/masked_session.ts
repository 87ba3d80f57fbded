import { NdArray } from "../../../engine/ndarray.ts";
import type { CausalWeights, PrefillInput } from "../../gpt/causal_weights.ts";
import { causalForward } from "../../gpt/forward/causal_forward.ts";
import type { DynamicCache } from "../../gpt/forward/dynamic_cache.ts";
import type { LogitsSource } from "../../gpt/logits_session.ts";

/**
 * Scores after an input of which a part is masked. Each row is a forward pass with its cache in host memory: slow, and exact
 * for what few ask for. Positions count the ids that are seen, and what is masked stands at 0, as in transformers.
 */
export class MaskedSession implements LogitsSource {
  readonly #model: CausalWeights;
  #rows: readonly Row[];

  /** @param masks of the inputs, a row each. */
  constructor(model: CausalWeights, masks: readonly (readonly number[])[]) {
    this.#model = model;
    this.#rows = masks.map((mask) => ({ mask, position: 0, cache: null }));
  }

  async prefill(inputs: readonly PrefillInput[]): Promise<Float32Array[]> {
    return await this.#pass(
      this.#rows.map((row, i) => {
        let seen = 0;
        const positions = row.mask.map((bit) => (bit === 0 ? 0 : seen++));
        return { row, input: inputs[i], positions };
      }),
    );
  }

  async step(tokens: readonly number[], origins?: readonly number[]): Promise<Float32Array[]> {
    const rows = origins === undefined ? this.#rows : origins.map((origin) => this.#rows[origin]);
    return await this.#pass(
      rows.map((row, i) => ({
        row: { ...row, mask: [...row.mask, 1] },
        input: { ids: [tokens[i]] },
        positions: [row.position + 1],
      })),
    );
  }

  /** Keeps nothing on the GPU. */
  dispose(): void {
    this.#rows = [];
  }

  async #pass(work: readonly { row: Row; input: PrefillInput; positions: number[] }[]): Promise<Float32Array[]> {
    const scores: Float32Array[] = [];
    const rows: Row[] = [];
    for (const { row, input, positions } of work) {
      const { logits, past_key_values } = await causalForward(this.#model, {
        ...this.#inputOf(input),
        attention_mask: new NdArray(Uint8Array.from(row.mask), [1, row.mask.length]),
        position_ids: new NdArray(Int32Array.from(positions), [1, positions.length]),
        ...(row.cache === null ? {} : { past_key_values: row.cache }),
        use_cache: true,
      });
      scores.push(
        logits
          .row(0)
          .row(positions.length - 1)
          .data.slice(),
      );
      rows.push({ ...row, position: positions[positions.length - 1], cache: past_key_values });
    }
    this.#rows = rows;
    return scores;
  }

  #inputOf(input: PrefillInput): Pick<Parameters<typeof causalForward>[1], "input_ids" | "inputs_embeds"> {
    if ("ids" in input) return { input_ids: new NdArray(Int32Array.from(input.ids), [1, input.ids.length]) };
    const width = this.#model.config.hidden_size;
    return { inputs_embeds: new NdArray(input.embeddings, [1, input.embeddings.length / width, width]) };
  }
}

interface Row {
  /** Of all that the cache holds. */
  readonly mask: readonly number[];
  /** Of the last id. */
  readonly position: number;
  readonly cache: DynamicCache | null;
}
