import { EngineError } from "../../engine/errors.ts";
import type { Program } from "../../engine/program/program.ts";
import { into } from "../../engine/program/recorder.ts";
import { Scope } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { ResidentDecode } from "./resident_blocks.ts";
import {
  attentionDecode,
  decodeScratch,
  type DecodeShape,
  type KvCache,
} from "../../kernels/attention/decode/decode.ts";
import { embedding } from "../../kernels/embedding/embedding.ts";
import { stateFields, stateWidth } from "../../kernels/decode_state.ts";
import type { CausalWeights, PrefillInput } from "./causal_weights.ts";
import type { GptBuffers } from "./gpt.ts";
import { commonLength, Prefill } from "./prefill.ts";

/**
 * What every decode of one or more sequences needs: KV caches, the state on the GPU, a prefill, and the recorded body of a
 * step (embedding and blocks). {@link DecodeSession} picks tokens on the GPU, {@link LogitsSession} hands out the scores.
 */
export class CausalDecoder {
  readonly model: CausalWeights;
  /** Sequences decoded together. */
  readonly rows: number;
  /** Scores of the last step, at the columns that were computed. [rows, output_vocab_size] */
  readonly logits: Tensor<"f32">;
  /** Owns everything that is made here, except the prefill, which changes. */
  protected readonly scope: Scope;
  /** Of each layer. [rows, block_size, H] */
  protected readonly caches: readonly KvCache[];
  /** kernels/decode_state.ts */
  protected readonly state: Tensor<"u32">;
  protected readonly buffers: GptBuffers;
  protected readonly body: Program;
  readonly #shape: DecodeShape;
  readonly #scratch: Tensor<"f32">;
  readonly #resident: ResidentDecode | undefined;
  /** The last prefill: the next one is often of the same shape. */
  #prefill: Prefill | undefined;

  constructor(model: CausalWeights, rows: number) {
    const { gpu, config } = model;
    const { hidden_size: H, block_size: capacity } = config;
    this.model = model;
    this.rows = rows;
    const scope = new Scope(gpu);
    this.scope = scope;
    try {
      this.#shape = { rows, heads: config.num_heads, headDim: H / config.num_heads, capacity };
      // Batches take the usual way.
      this.#resident = rows === 1 ? model.resident?.decode(scope) : undefined;
      this.caches =
        this.#resident?.caches ??
        Array.from({ length: config.num_layers }, () => ({
          k: scope.tensor("f32", [rows, capacity, H], "K cache"),
          v: scope.tensor("f32", [rows, capacity, H], "V cache"),
        }));
      this.state = scope.tensor("u32", [rows, stateWidth], "decode state");
      this.#scratch = decodeScratch(scope, this.#shape);
      this.logits = scope.tensor("f32", [rows, config.output_vocab_size], "logits");
      this.buffers = model.gpt.buffers(scope, rows, "decode");
      this.body = this.#recordBody();
    } catch (error) {
      scope.dispose();
      throw error;
    }
  }

  /**
   * Fills the caches with one input a row, all of one length; `buffers.x` then holds what the first scores follow from.
   * Where the inputs go on from ids that the caches hold already (coarse windows do as long as they grow, bark-spec
   * 4.3), only what follows is computed.
   * @param held ids in the caches, a list a row. @param prefix positions at the start that other inputs of this voice share.
   * @returns the inputs' length.
   * @throws EngineError `usage` for inputs that do not fit, `aborted`.
   */
  protected async fill(
    inputs: readonly PrefillInput[],
    held: readonly (readonly number[])[],
    signal?: AbortSignal,
    prefix = 0,
  ): Promise<number> {
    const { model, caches } = this;
    const length = commonLength(model, inputs);
    const shared = sharedIds(inputs, Math.min(prefix, length - 1));
    const isKept = shared.length > 0 && (await model.prefixes.restore(shared, caches, this.rows));
    const past = isKept ? shared.length : commonPast(inputs, held, length);
    if (this.#prefill?.fits(this.model, inputs, past) !== true) {
      this.#prefill?.dispose();
      this.#prefill = undefined;
      this.#prefill = new Prefill(this.model, { caches: this.caches, x: this.buffers.x }, inputs, past);
    }
    await this.#prefill.run(inputs, signal);
    if (shared.length > 0) await model.prefixes.keep(shared, caches);
    return length;
  }

  /** @throws EngineError `internal` if what was computed is worth nothing. */
  protected async requireComputed(): Promise<void> {
    await this.#resident?.requireComputed();
  }

  dispose(): void {
    this.#prefill?.dispose();
    this.scope.dispose();
  }

  /** One token a row through all blocks: the state's tokens in, `buffers.x` out. */
  #recordBody(): Program {
    const { gpt, tables } = this.model;
    const program = this.scope.program("decode body");
    const at = (field: number): { tensor: Tensor<"u32">; first: number; stride: number } => ({
      tensor: this.state,
      first: field,
      stride: stateWidth,
    });
    embedding(program, tables, at(stateFields.token), this.buffers.x, this.rows, at(stateFields.position));
    if (this.#resident !== undefined) {
      this.#resident.record(program, this.buffers.x, this.state);
      return program;
    }
    gpt.recordBlocks(into(program), this.buffers, this.rows, (_recording, layer, qkv, y) =>
      attentionDecode(
        program,
        { qkv, state: this.state, cache: this.caches[layer], scratch: this.#scratch, y },
        this.#shape,
      ),
    );
    return program;
  }
}

/**
 * How many positions every row of the caches shares with its next input. The last position of an input is computed in
 * any case: its output is what the first token is sampled from.
 */
function commonPast(inputs: readonly PrefillInput[], held: readonly (readonly number[])[], length: number): number {
  const shared = inputs.map((input, row) => {
    const cached = held[row];
    if (!("ids" in input) || cached === undefined || cached.length === 0) return 0;
    const differs = input.ids.findIndex((id, i) => id !== cached[i]);
    return differs < 0 ? length : differs;
  });
  return Math.min(length - 1, ...shared);
}

/** The first ids of all inputs, where these are the same. */
function sharedIds(inputs: readonly PrefillInput[], count: number): readonly number[] {
  const [first = [], ...others] = idsOf(inputs).map((ids) => ids.slice(0, count));
  return others.every((ids) => ids.join() === first.join()) ? first : [];
}

/** The ids of a prefill that caches hold after it, a list a row; none where embeddings were given. */
export function idsOf(inputs: readonly PrefillInput[]): (readonly number[])[] {
  return inputs.map((input) => ("ids" in input ? input.ids : []));
}

/** For tokens that go on where the positions end; transformers has an index error there. */
export function positionsError(blockSize: number): EngineError {
  return new EngineError("usage", "the tokens did not end within the positions of the model", {
    where: "generate",
    expected: `an end within ${blockSize} positions (block_size), the input's included`,
    fix: "ask for fewer tokens",
  });
}
