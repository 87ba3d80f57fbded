import type { BarkGenerateKwargs } from "../../bark/generate/options/generate_arguments.ts";
import type { BarkStreamKwargs } from "../../bark/generate/options/stream_arguments.ts";
import type { BarkOutput } from "../../bark/generate/output.ts";
import { endedAtOnce, rowOutput } from "../../bark/generate/row_output.ts";
import type { HistoryPrompt } from "../../bark/voice/history_prompt.ts";
import type { ArrayInput } from "../../engine/check/array_argument.ts";
import { EngineError } from "../../engine/errors.ts";
import { NdArray } from "../../engine/ndarray.ts";
import type { SpeakingModel } from "../../speech/speak.ts";
import { FairQueue } from "./fair_queue.ts";

/** One run on the GPU, for whoever measures. */
export interface RunReport {
  /** Texts that were spoken at once. */
  readonly rows: number;
  /** Since the run began. */
  readonly milliseconds: number;
  /** Milliseconds that each text waited for its turn. */
  readonly waited: readonly number[];
  readonly outputs: readonly BarkOutput[];
}

/** A call of a client that waits for its turn, or has it. */
interface Call {
  readonly client: string;
  readonly asked: number;
  readonly kwargs: BarkStreamKwargs;
  /** Calls with the same can be one run; undefined: it has to be alone. */
  readonly key: string | undefined;
  /** Takes the sound of a stream while it is made. */
  readonly give: ((samples: Float32Array<ArrayBuffer>) => void) | undefined;
  readonly resolve: (output: BarkOutput) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One model for many clients. One run is on the GPU at a time, and clients take turns run by run, that is piece by piece of
 * their texts, so that a book does not keep a sentence waiting. Runs that wait and differ in their text alone are made at
 * once: a row is what it is alone, and four take less time than one after the other.
 */
export class SharedModel {
  readonly #model: SpeakingModel;
  readonly #batch: number;
  readonly #report: (run: RunReport) => void;
  readonly #waiting = new FairQueue<Call>();
  #isBusy = false;

  /** @param batch most texts of one run. */
  constructor(model: SpeakingModel, batch: number, report: (run: RunReport) => void = () => undefined) {
    this.#model = model;
    this.#batch = batch;
    this.#report = report;
  }

  /** The model as one client has it: its runs wait for their turns. Each is of one text. */
  of(client: string): SpeakingModel {
    const { config, generation_config, semantic } = this.#model;
    return {
      ...{ config, generation_config, semantic },
      generate_output: async (kwargs) => await this.#call(client, kwargs),
      generate_stream: (kwargs) => this.#stream(client, kwargs),
    };
  }

  async *#stream(client: string, kwargs: BarkStreamKwargs): AsyncGenerator<Float32Array<ArrayBuffer>, BarkOutput> {
    const parts: Float32Array<ArrayBuffer>[] = [];
    let wake = (): void => undefined;
    let isEnded = false;
    // Made as fast as it can be: a listener who takes his time does not hold up the others.
    const output = this.#call(client, kwargs, (samples) => {
      parts.push(samples);
      wake();
    });
    const ended = output.then(
      () => undefined,
      () => undefined,
    );
    void ended.then(() => {
      isEnded = true;
      wake();
    });
    for (;;) {
      const part = parts.shift();
      if (part !== undefined) yield part;
      else if (isEnded) return await output;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }

  async #call(client: string, kwargs: BarkStreamKwargs, give?: Call["give"]): Promise<BarkOutput> {
    const signal = kwargs.signal ?? undefined;
    let stop = (): void => undefined;
    try {
      return await new Promise<BarkOutput>((resolve, reject) => {
        const asked = performance.now();
        const call: Call = { client, asked, kwargs, key: keyOf(kwargs), give, resolve, reject };
        stop = () => {
          this.#waiting.delete(call);
          reject(stopped(kwargs));
        };
        if (signal?.aborted === true) return stop();
        signal?.addEventListener("abort", stop, { once: true });
        this.#waiting.add(call);
        void this.#next();
      });
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  async #next(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      for (;;) {
        // Calls of one moment are seen together: 20 sentences of one page are not one and then 19.
        await Promise.resolve();
        const calls = this.#waiting.take(
          this.#batch,
          (a, b) => a.key !== undefined && a.key === b.key && isOneVoice(a, b),
        );
        if (calls.length === 0) return;
        await this.#run(calls);
      }
    } finally {
      this.#isBusy = false;
    }
  }

  /** Never throws: what goes wrong is the answer of a call. */
  async #run(calls: readonly Call[]): Promise<void> {
    const began = performance.now();
    try {
      const outputs = calls.length === 1 ? [await this.#alone(calls[0])] : await this.#together(calls);
      const made = outputs.filter((output): output is BarkOutput => !(output instanceof EngineError));
      const waited = calls.map(({ asked }) => began - asked);
      this.#report({ rows: calls.length, milliseconds: performance.now() - began, waited, outputs: made });
      for (const [i, { give, resolve, reject }] of calls.entries()) {
        const output = outputs[i];
        if (output instanceof EngineError) reject(output);
        else {
          if (calls.length > 1) give?.(Float32Array.from(output.audio.data));
          resolve(output);
        }
      }
    } catch (error) {
      // One row without speech or with a wrong number breaks off all: alone, each is what it is.
      const isOfRow = error instanceof EngineError && ["internal", "bad-input"].includes(error.code);
      if (isOfRow && calls.length > 1) for (const call of calls) await this.#run([call]);
      else for (const { reject } of calls) reject(error);
    }
  }

  async #alone({ kwargs, give }: Call): Promise<BarkOutput> {
    if (kwargs.signal?.aborted === true) throw stopped(kwargs);
    if (give === undefined) return await this.#model.generate_output(kwargs);
    const parts = this.#model.generate_stream(kwargs);
    for (;;) {
      const { done, value } = await parts.next();
      if (done === true) return value;
      give(value);
    }
  }

  /** Calls in one run, which stops when nobody waits for any of them. */
  async #together(calls: readonly Call[]): Promise<(BarkOutput | EngineError)[]> {
    const stop = new AbortController();
    const signals = calls.map(({ kwargs }) => kwargs.signal ?? undefined);
    const look = (): void => {
      if (signals.every((signal) => signal?.aborted === true)) stop.abort();
    };
    for (const signal of signals) signal?.addEventListener("abort", look, { once: true });
    look();
    try {
      const { input_ids, attention_mask, history_prompt, signal, on_progress, latency, lookahead, ...rest } =
        calls[0].kwargs;
      void [input_ids, attention_mask, history_prompt, signal, on_progress, latency, lookahead];
      const output = await this.#model.generate_output({
        ...(rest as Omit<BarkGenerateKwargs, "input_ids">),
        input_ids: rowsOf(calls.map(({ kwargs }) => kwargs.input_ids)),
        attention_mask: rowsOf(calls.map(({ kwargs }) => kwargs.attention_mask!)),
        history_prompt: calls.map(({ kwargs }) => (kwargs.history_prompt as HistoryPrompt | null | undefined) ?? null),
        signal: stop.signal,
      });
      const { eos_token_id } = this.#model.generation_config.semantic_config;
      return calls.map((_, row) =>
        output.output_lengths[row] > 0 ? rowOutput(output, row, eos_token_id) : endedAtOnce(),
      );
    } finally {
      for (const signal of signals) signal?.removeEventListener("abort", look);
    }
  }
}

/** Keywords, seed and shape of a call that can be a row among others: of plain numbers and switches alone. */
function keyOf({
  input_ids,
  attention_mask,
  history_prompt,
  signal,
  on_progress,
  ...rest
}: BarkStreamKwargs): string | undefined {
  void [history_prompt, signal, on_progress];
  const { latency, lookahead, seed, ...keywords } = rest;
  void lookahead;
  const areRows = [input_ids, attention_mask].every((ids) => ids instanceof NdArray && ids.shape[0] === 1);
  const values: unknown[] = Object.values(keywords);
  const isPlain = values.every((value) => value === null || ["number", "boolean", "undefined"].includes(typeof value));
  if (latency === "low" || seed === undefined || seed === null || !areRows || !isPlain) return undefined;
  const names = Object.keys(keywords).sort();
  return JSON.stringify([
    String(seed),
    (input_ids as NdArray).shape,
    names.map((name) => [name, keywords[name as keyof typeof keywords]]),
  ]);
}

/** Voices of other lengths would be decoded after each other. */
function isOneVoice(a: Call, b: Call): boolean {
  return (a.kwargs.history_prompt ?? null) === (b.kwargs.history_prompt ?? null);
}

/** [1, n] each to [rows, n]. */
function rowsOf(arrays: readonly ArrayInput[]): NdArray {
  const rows = arrays as readonly NdArray[];
  const width = rows[0].shape[1];
  const data = new Int32Array(rows.length * width);
  for (const [row, array] of rows.entries()) data.set(array.data, row * width);
  return new NdArray(data, [rows.length, width]);
}

function stopped({ signal }: BarkStreamKwargs): EngineError {
  return new EngineError("aborted", "the request was stopped", { cause: signal?.reason });
}
