import { EngineError } from "../../engine/errors.ts";
import type { Gpu } from "../../engine/gpu.ts";
import type { Program } from "../../engine/program/program.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { sampleStep, type SampleOptions } from "../../kernels/sample/sample.ts";
import { stateFields, stateWidth } from "../../kernels/decode_state.ts";
import { CausalDecoder, idsOf } from "./causal_decoder.ts";
import type { CausalWeights, PrefillInput } from "./causal_weights.ts";

/** How a step picks its token; the coarse model alternates between two. */
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
  readonly sampling: readonly StepSampling[];
  /** The entry of `sampling` of step j after a prefill. Default: j modulo their number. */
  readonly entryAt?: ((step: number) => number) | undefined;
  /** Tokens a row between two readbacks. Default: {@link tokensPerReadback} of the adapter and the runtime. */
  readonly tokensPerReadback?: number | undefined;
  /** Tokens a row that an earlier session of these sequences sampled: draws go on from them. Default 0. */
  readonly sampledBefore?: number | undefined;
}

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
 * A decode whose tokens are picked on the GPU. A step is one recorded body and one tail (final norm, head, sampling) of the
 * cycle; several steps go into one submit.
 */
export class DecodeSession extends CausalDecoder {
  readonly options: SessionOptions;
  readonly tokensPerReadback: number;
  readonly #gpu: Gpu;
  readonly #tokens: Tensor<"u32">;
  readonly #tails: readonly Program[];
  /** Tokens sampled since the session began, and how many of them before the last prefill. */
  #sampled = 0;
  #sampledBefore = 0;
  /** The sampled tokens as last read, [rows][*]. */
  #read: readonly (readonly number[])[] = [];
  /** Ids of the last prefill, a list a row; empty where embeddings were given. */
  #prefilled: readonly (readonly number[])[] = [];

  /** @throws EngineError `usage` for an invalid number of tokens between readbacks. */
  constructor(model: CausalWeights, options: SessionOptions) {
    const { gpu } = model;
    const each = options.tokensPerReadback ?? tokensPerReadback(gpu);
    if (!Number.isSafeInteger(each) || each < 1)
      throw new EngineError("usage", "wrong value of tokens_per_readback", {
        where: "tokens_per_readback",
        expected: "an integer ≥ 1",
        actual: each,
      });
    super(model, options.rows);
    this.options = options;
    this.#sampled = this.#sampledBefore = options.sampledBefore ?? 0;
    this.tokensPerReadback = each;
    this.#gpu = gpu;
    try {
      this.#tokens = this.scope.tensor("u32", [options.rows, options.maxTokens], "sampled tokens");
      this.#tails = options.sampling.map((sampling) => this.#recordTail(sampling));
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Dispatches of one decode step. */
  get dispatchesPerStep(): number {
    return this.body.dispatches + this.#tails[0].dispatches;
  }

  /**
   * Fills the caches with one input a row, all of one length, and sets the state so that {@link decode} samples the
   * next token. Rows that were done stay done only within one prefill.
   * @param prefix positions at the start that other inputs of this voice share.
   * @throws EngineError `usage` for inputs that do not fit, `aborted`.
   */
  async prefill(inputs: readonly PrefillInput[], signal?: AbortSignal, prefix?: number): Promise<void> {
    const held = this.#held();
    this.#prefilled = [];
    const length = await this.fill(inputs, held, signal, prefix);
    const state = new Uint32Array(this.rows * stateWidth);
    for (let row = 0; row < this.rows; row++) {
      state[row * stateWidth + stateFields.position] = length - 1;
      state[row * stateWidth + stateFields.step] = this.#sampled;
    }
    this.state.write(state);
    this.#prefilled = idsOf(inputs);
    this.#sampledBefore = this.#sampled;
  }

  /** Ids in the caches. The last token sampled has not been fed, so they do not hold it. */
  #held(): (readonly number[])[] {
    const fed = (row: number): readonly number[] =>
      this.#read[row]?.slice(this.#sampledBefore, this.#sampled - 1) ?? [];
    return this.#prefilled.map((ids, row) => (ids.length === 0 ? ids : [...ids, ...fed(row)]));
  }

  /**
   * Samples `count` more tokens a row, the first from the prefill's last position, and gives after each readback what
   * {@link readTokens} reads. A GPU gets the next batch before the tokens of the last one have come back, so that it never
   * waits for the host: a listener who leaves does so one batch late, and one who pauses has a batch computed meanwhile.
   */
  async *decode(count: number): AsyncGenerator<number[][], void, undefined> {
    let read: Promise<number[][]> | undefined;
    try {
      for (let done = 0; done < count;) {
        const steps = Math.min(this.tokensPerReadback, count - done);
        await this.#gpu.submit(this.#batch(done, steps));
        done += steps;
        this.#sampled += steps;
        const before = read;
        read = this.readTokens();
        read.catch(() => undefined); // The await below may come after it has failed.
        if (this.#gpu.isSoftware) yield await read;
        else if (before !== undefined) yield await before;
      }
      if (read !== undefined && !this.#gpu.isSoftware) yield await read;
    } finally {
      await read; // Also when an earlier one failed: what it reads must not be freed under it.
    }
  }

  /** The programs of steps `first` to `first + steps - 1` after the prefill. */
  #batch(first: number, steps: number): Program[] {
    const programs: Program[] = [];
    const { entryAt = (step) => step % this.#tails.length } = this.options;
    for (let step = first; step < first + steps; step++) {
      if (step > 0) programs.push(this.body);
      programs.push(this.#tails[entryAt(step)]);
    }
    return programs;
  }

  /** Tokens of every row, from the first on; those of an earlier session are 0. This is the readback of a decode. */
  async readTokens(): Promise<number[][]> {
    const { rows, maxTokens } = this.options;
    // The next batch changes it while this one is read.
    const sampled = this.#sampled;
    const reading = this.#tokens.read(0, (rows - 1) * maxTokens + sampled);
    // Both before the next batch, which neither should wait for.
    const [words] = await Promise.all([reading, this.requireComputed()]);
    const read = Array.from({ length: rows }, (_, row) =>
      Array.from(words.subarray(row * maxTokens, row * maxTokens + sampled)),
    );
    this.#read = read;
    return read;
  }

  /** Final norm, the head's columns and the pick; advances the state. */
  #recordTail({ columns, sample }: StepSampling): Program {
    const { gpt, head, config } = this.model;
    const { rows, maxTokens } = this.options;
    const program = this.scope.program("decode tail");
    gpt.recordHead(program, this.buffers, head, this.logits, { rows, columnRange: columns });
    sampleStep(
      program,
      { logits: this.logits, state: this.state, tokens: this.#tokens },
      { rows, vocabulary: config.output_vocab_size, capacity: maxTokens },
      sample,
    );
    return program;
  }
}
