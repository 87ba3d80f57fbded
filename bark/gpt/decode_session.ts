import { EngineError } from "../../engine/errors.ts";
import type { Gpu } from "../../engine/gpu.ts";
import type { Program } from "../../engine/program/program.ts";
import { into } from "../../engine/program/recorder.ts";
import { Scope } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import {
  attentionDecode,
  decodeScratch,
  type DecodeShape,
  type KvCache,
} from "../../kernels/attention/decode/decode.ts";
import { embedding } from "../../kernels/embedding/embedding.ts";
import { sampleStep, type SampleOptions } from "../../kernels/sample/sample.ts";
import { stateFields, stateWidth } from "../../kernels/decode_state.ts";
import type { CausalWeights, PrefillInput } from "./causal_weights.ts";
import type { GptBuffers } from "./gpt.ts";
import { commonLength, Prefill } from "./prefill.ts";

/** How one step of the cycle picks its token; the coarse model alternates between two. */
export interface StepSampling {
  /** Columns of the head that can be picked, [start, end); others are not computed. */
  readonly columns: readonly [start: number, end: number];
  readonly sample: SampleOptions;
}

export interface SessionOptions {
  /** Sequences decoded together. */
  readonly rows: number;
  /** Most tokens sampled in the session, over all prefills. */
  readonly maxTokens: number;
  /** Step j after a prefill samples with entry j modulo the length. */
  readonly sampling: readonly StepSampling[];
  /** Tokens a row between two readbacks. Default: {@link tokensPerReadback} of the adapter and the runtime. */
  readonly tokensPerReadback?: number | undefined;
}

/** Called for every batch of tokens, once it is submitted, with how many were sampled since the prefill. @returns true to stop. */
export type OnTokens = (sampled: number) => boolean | Promise<boolean>;

// Measured by `bench generate --readback 1,4,8,16,32` (bench/RESULTS.md); an H100, coarse stage of 10 s with 4, 8, 16 and 32:
// 1.41, 1.48, 1.31 and 1.29 s. Not 32: half of an interval is wasted at the end of speech, a tenth of a second a step in
// bark-small, and progress would stand still.
const readbackSteps = {
  gpu: { node: 16, deno: 16, browser: 8 },
  software: { node: 8, deno: 16, browser: 4 },
};

/** Tokens a row that are decoded between two readbacks if the caller does not say. */
export function tokensPerReadback({ isSoftware, runtime }: Gpu): number {
  return readbackSteps[isSoftware ? "software" : "gpu"][runtime];
}

/**
 * A decode of one or more sequences: KV caches, the state on the GPU and the recorded programs. A step is one recorded
 * body (embedding and blocks) and one tail (final norm, head, sampling) of the cycle; several steps go into one submit.
 */
export class DecodeSession {
  readonly model: CausalWeights;
  readonly options: SessionOptions;
  readonly tokensPerReadback: number;
  /** Scores of the last step, at the columns that were computed. [rows, output_vocab_size] */
  readonly logits: Tensor<"f32">;
  readonly #gpu: Gpu;
  /** Owns everything that the session makes, except its prefill, which changes. */
  readonly #scope: Scope;
  readonly #caches: readonly KvCache[];
  readonly #state: Tensor<"u32">;
  readonly #tokens: Tensor<"u32">;
  readonly #shape: DecodeShape;
  readonly #scratch: Tensor<"f32">;
  readonly #buffers: GptBuffers;
  readonly #body: Program;
  readonly #tails: readonly Program[];
  /** Tokens sampled since the session began, and how many of them before the last prefill. */
  #sampled = 0;
  #sampledBefore = 0;
  /** The sampled tokens as last read, [rows][*]. */
  #read: readonly (readonly number[])[] = [];
  /** The last prefill: the next one is often of the same shape. */
  #prefill: Prefill | undefined;
  /** Ids of the last prefill, a list a row; empty where embeddings were given. */
  #prefilled: readonly (readonly number[])[] = [];

  /** @throws EngineError `usage` for an invalid number of tokens between readbacks. */
  constructor(model: CausalWeights, options: SessionOptions) {
    const { gpu, config } = model;
    const { rows } = options;
    const { hidden_size: H, block_size: capacity } = config;
    this.model = model;
    this.options = options;
    this.tokensPerReadback = options.tokensPerReadback ?? tokensPerReadback(gpu);
    if (!Number.isSafeInteger(this.tokensPerReadback) || this.tokensPerReadback < 1)
      throw new EngineError("usage", "wrong value of tokens_per_readback", {
        where: "tokens_per_readback",
        expected: "an integer ≥ 1",
        actual: this.tokensPerReadback,
      });
    this.#gpu = gpu;
    const scope = new Scope(gpu);
    this.#scope = scope;
    try {
      this.#shape = { rows, heads: config.num_heads, headDim: H / config.num_heads, capacity };
      this.#caches = Array.from({ length: config.num_layers }, () => ({
        k: scope.tensor("f32", [rows, capacity, H], "K cache"),
        v: scope.tensor("f32", [rows, capacity, H], "V cache"),
      }));
      this.#state = scope.tensor("u32", [rows, stateWidth], "decode state");
      this.#tokens = scope.tensor("u32", [rows, options.maxTokens], "sampled tokens");
      this.#scratch = decodeScratch(scope, this.#shape);
      this.logits = scope.tensor("f32", [rows, config.output_vocab_size], "logits");
      this.#buffers = model.gpt.buffers(scope, rows, "decode");
      this.#body = this.#recordBody();
      this.#tails = options.sampling.map((sampling) => this.#recordTail(sampling));
    } catch (error) {
      scope.dispose();
      throw error;
    }
  }

  /** Dispatches of one decode step. */
  get dispatchesPerStep(): number {
    return this.#body.dispatches + this.#tails[0].dispatches;
  }

  /**
   * Fills the caches with one input a row, all of one length, and sets the state so that {@link decode} samples the
   * next token. Where the inputs go on from ids that the caches hold already (coarse windows do as long as they grow,
   * bark-spec 4.3), only what follows is computed. Rows that were done stay done only within one prefill.
   * @throws EngineError `usage` for inputs that do not fit, `aborted`.
   */
  async prefill(inputs: readonly PrefillInput[], signal?: AbortSignal): Promise<void> {
    const length = commonLength(this.model, inputs);
    const past = this.#commonPast(inputs, length);
    this.#prefilled = [];
    if (this.#prefill?.fits(this.model, inputs, past) !== true) {
      this.#prefill?.dispose();
      this.#prefill = undefined;
      this.#prefill = new Prefill(this.model, { caches: this.#caches, x: this.#buffers.x }, inputs, past);
    }
    await this.#prefill.run(inputs, signal);
    const state = new Uint32Array(this.options.rows * stateWidth);
    for (let row = 0; row < inputs.length; row++) {
      state[row * stateWidth + stateFields.position] = length - 1;
      state[row * stateWidth + stateFields.step] = this.#sampled;
    }
    this.#state.write(state);
    this.#prefilled = inputs.map((input) => ("ids" in input ? input.ids : []));
    this.#sampledBefore = this.#sampled;
  }

  /**
   * Samples `count` more tokens a row, the first from the prefill's last position. A GPU gets the next batch before the
   * tokens of the last one have come back, so that it never waits for the host; a stop then is one batch late.
   */
  async decode(count: number, onTokens: OnTokens = () => false): Promise<void> {
    let read: Promise<boolean> = Promise.resolve(false);
    try {
      for (let done = 0; done < count;) {
        const steps = Math.min(this.tokensPerReadback, count - done);
        await this.#gpu.submit(this.#batch(done, steps));
        done += steps;
        this.#sampled += steps;
        const before = read;
        read = Promise.resolve(onTokens(done));
        read.catch(() => undefined); // The await below may come after it has failed.
        if (await (this.#gpu.isSoftware ? read : before)) break;
      }
    } finally {
      await read; // Also when an earlier one failed: what it reads must not be freed under it.
    }
  }

  /** The programs of steps `first` to `first + steps - 1` after the prefill. */
  #batch(first: number, steps: number): Program[] {
    const programs: Program[] = [];
    for (let step = first; step < first + steps; step++) {
      if (step > 0) programs.push(this.#body);
      programs.push(this.#tails[step % this.#tails.length]);
    }
    return programs;
  }

  /** Tokens of every row, from the first sampled in this session on. This is the readback of a decode. */
  async readTokens(): Promise<number[][]> {
    const { rows, maxTokens } = this.options;
    // The next batch changes it while this one is read.
    const sampled = this.#sampled;
    const words = await this.#tokens.read(0, (rows - 1) * maxTokens + sampled);
    const read = Array.from({ length: rows }, (_, row) =>
      Array.from(words.subarray(row * maxTokens, row * maxTokens + sampled)),
    );
    this.#read = read;
    return read;
  }

  dispose(): void {
    this.#prefill?.dispose();
    this.#scope.dispose();
  }

  /**
   * How many positions every row of the caches shares with its next input. The last position of an input is computed in
   * any case: its output is what the first token is sampled from.
   */
  #commonPast(inputs: readonly PrefillInput[], length: number): number {
    const shared = inputs.map((input, row) => {
      if (!("ids" in input) || this.#prefilled.length === 0) return 0;
      // The last token sampled has not been fed, so the caches do not hold it.
      const fed = this.#read[row]?.slice(this.#sampledBefore, this.#sampled - 1) ?? [];
      const cached = [...this.#prefilled[row], ...fed];
      const differs = input.ids.findIndex((id, i) => id !== cached[i]);
      return differs < 0 ? length : differs;
    });
    return Math.min(length - 1, ...shared);
  }

  /** One token a row through all blocks: the state's tokens in, `buffers.x` out. */
  #recordBody(): Program {
    const { gpt, tables } = this.model;
    const { rows } = this.options;
    const program = this.#scope.program("decode body");
    const at = (field: number): { tensor: Tensor<"u32">; first: number; stride: number } => ({
      tensor: this.#state,
      first: field,
      stride: stateWidth,
    });
    embedding(program, tables, at(stateFields.token), this.#buffers.x, rows, at(stateFields.position));
    gpt.recordBlocks(into(program), this.#buffers, rows, (_recording, layer, qkv, y) =>
      attentionDecode(
        program,
        { qkv, state: this.#state, cache: this.#caches[layer], scratch: this.#scratch, y },
        this.#shape,
      ),
    );
    return program;
  }

  /** Final norm, the head's columns and the pick; advances the state. */
  #recordTail({ columns, sample }: StepSampling): Program {
    const { gpt, head, config } = this.model;
    const { rows, maxTokens } = this.options;
    const program = this.#scope.program("decode tail");
    gpt.recordHead(program, this.#buffers, head, this.logits, { rows, columnRange: columns });
    sampleStep(
      program,
      { logits: this.logits, state: this.#state, tokens: this.#tokens },
      { rows, vocabulary: config.output_vocab_size, capacity: maxTokens },
      sample,
    );
    return program;
  }
}
