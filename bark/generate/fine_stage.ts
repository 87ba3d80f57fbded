import { EngineError } from "../../engine/errors.ts";
import { Recorder } from "../../engine/program/recorder.ts";
import { Scope } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { sampleRows } from "../../kernels/sample/sample.ts";
import type { FineWeights } from "../gpt/fine_weights.ts";
import { fineInput, fineOutput, planFine, type FinePlan, type FineWindow } from "./fine_plan.ts";
import type { FineOptions } from "./options/generate_options.ts";
import type { BarkGenerationConfig } from "../config/generation_config.ts";
import type { GptBuffers } from "../gpt/gpt.ts";
import { drawStages, type StageRun } from "./stage_run.ts";
import { voiceOfRow, type BatchVoice, type HistoryPrompt } from "../voice/history_prompt.ts";

/**
 * The first codebooks to all of them, window by window and codebook by codebook (bark-spec 4.4). Rows of a batch do not
 * depend on each other and run one after the other, which bounds the memory.
 * @param coarse ids of the coarse vocabulary, [batch][frames * n_coarse_codebooks].
 * @returns codes of each row, [n_fine_codebooks, frames] row-major.
 */
export async function generateFine(
  model: FineWeights,
  coarse: readonly (readonly number[])[],
  history: BatchVoice,
  config: BarkGenerationConfig,
  options: FineOptions,
  run: StageRun,
): Promise<Int32Array<ArrayBuffer>[]> {
  checkWhole(coarse, config.coarse_acoustics_config.n_coarse_codebooks);
  return await Scope.during(model.gpu, async (scope) => {
    const rows = coarse.map((codes, r) => planRow(codes, voiceOfRow(history, r, coarse.length), config));
    const stage = new FineStage(scope, model, config, options, run);
    stage.passes = rows.reduce((sum, row) => sum + row.passes, 0);
    const codes: Int32Array<ArrayBuffer>[] = [];
    const drawRows = run.drawRows(rows.length);
    let draws = 0;
    for (const [r, { coarse: given, voice, plan }] of rows.entries()) {
      // The passes before it are another run's.
      if (r % drawRows === 0) draws = 0;
      const buffer = stage.buffer(fineInput(plan, given, voice, config));
      for (const window of plan.windows) draws += await stage.predict(buffer, window, draws);
      codes.push(fineOutput(plan, await buffer.read(), config.fine_acoustics_config.n_fine_codebooks));
    }
    return codes;
  });
}

/** An end of sequence, if the coarse stage was given one, can come within a frame; transformers cannot go on there either. */
export function checkWhole(coarse: readonly (readonly number[])[], codebooks: number): void {
  const wrong = coarse.find((row) => row.length % codebooks !== 0);
  if (wrong === undefined) return;
  throw new EngineError("usage", "the coarse tokens end within a frame", {
    where: "coarse",
    expected: `a multiple of ${codebooks} tokens (n_coarse_codebooks)`,
    actual: wrong.length,
    fix: "give another coarse_eos_token_id, or none",
  });
}

/** A row of the batch: its own frames alone where every row has a voice of its own. */
interface FineRow {
  readonly coarse: readonly number[];
  readonly voice: HistoryPrompt | null;
  readonly plan: FinePlan;
  readonly passes: number;
}

function planRow(coarse: readonly number[], voice: HistoryPrompt | null, config: BarkGenerationConfig): FineRow {
  const { n_coarse_codebooks: given } = config.coarse_acoustics_config;
  const { n_fine_codebooks: books } = config.fine_acoustics_config;
  const promptFrames = voice?.fine_prompt.shape[1] ?? 0;
  const plan = planFine(coarse.length / given, promptFrames, config.fine_acoustics_config);
  return { coarse, voice, plan, passes: plan.windows.length * (books - given) };
}

/** The passes of the fine model over windows of a buffer of codes. */
export class FineStage {
  /** Passes done, and how many there will be. */
  done = 0;
  passes = 0;
  passesAreKnown = true;
  readonly #scope: Scope;
  readonly #model: FineWeights;
  readonly #config: BarkGenerationConfig;
  readonly #options: FineOptions;
  readonly #run: StageRun;
  readonly #buffers: GptBuffers;
  readonly #logits: Tensor<"f32">;
  /** For the positions of a window that are predicted, where those are not all. */
  #last: { readonly positions: number; readonly buffers: GptBuffers } | undefined;
  readonly #lastScope: Scope;

  /** @param scope frees what the stage makes. */
  constructor(scope: Scope, model: FineWeights, config: BarkGenerationConfig, options: FineOptions, run: StageRun) {
    this.#scope = scope;
    this.#lastScope = scope.keep(new Scope(scope.gpu));
    this.#model = model;
    this.#config = config;
    this.#options = options;
    this.#run = run;
    const { max_fine_input_length: width } = config.fine_acoustics_config;
    const { head_vocab_size } = model.config;
    this.#buffers = model.gpt.buffers(scope, width, "fine");
    this.#logits = scope.tensor("f32", [width, head_vocab_size], "fine logits");
  }

  /** Codes on the GPU, [frames, n_fine_codebooks]. */
  buffer(codes: Uint32Array<ArrayBuffer>): Tensor<"u32"> {
    const { n_fine_codebooks: books } = this.#config.fine_acoustics_config;
    return this.#scope.tensorFrom("u32", [codes.length / books, books], codes, "fine codes");
  }

  /**
   * Predicts all codebooks of a window, one pass each. @param draw passes of the run before it, which number the random draws.
   * @returns passes of the window.
   */
  async predict(codes: Tensor<"u32">, window: FineWindow, draw: number): Promise<number> {
    const { n_coarse_codebooks: given } = this.#config.coarse_acoustics_config;
    const { n_fine_codebooks: books } = this.#config.fine_acoustics_config;
    for (let codebook = given; codebook < books; codebook++) {
      this.#report();
      await this.#pass(codes, window, codebook, drawStages.fine + draw + codebook - given);
      this.done++;
    }
    this.#report();
    return books - given;
  }

  #report(): void {
    this.#run.report(this.done, this.passes, this.passesAreKnown);
  }

  #lastBuffers(positions: number): GptBuffers {
    const { max_fine_input_length: width } = this.#config.fine_acoustics_config;
    if (positions === width) return this.#buffers;
    if (this.#last === undefined || this.#last.positions < positions) {
      this.#lastScope.dispose();
      const buffers = this.#model.gpt.buffers(this.#lastScope, positions, "fine last", width);
      this.#last = { positions, buffers };
    }
    return this.#last.buffers;
  }

  /** Predicts one codebook over one window and writes it into `codes`. */
  async #pass(codes: Tensor<"u32">, window: FineWindow, codebook: number, drawStage: number): Promise<void> {
    const { codebook_size: size, fine_acoustics_config } = this.#config;
    const { max_fine_input_length: positions, n_fine_codebooks: books } = fine_acoustics_config;
    const { head_vocab_size: vocabulary } = this.#model.config;
    const { temperature } = this.#options;
    const columns = Math.min(size, vocabulary);
    await Scope.during(this.#scope.gpu, async (scope) => {
      const recorder = new Recorder(scope, "fine pass");
      this.#model.recordPass(
        recorder,
        codebook,
        { codes, firstCode: window.start * books, positions, firstPosition: window.rel },
        { buffers: this.#buffers, last: this.#lastBuffers(positions - window.rel) },
        this.#logits,
        columns,
      );
      sampleRows(
        recorder.program(0),
        { logits: this.#logits, out: codes },
        { rows: positions - window.rel, vocabulary, first: window.fill * books + codebook, stride: books },
        {
          ranges: [[0, columns]],
          greedy: temperature === null,
          temperature: temperature ?? 1,
          seed: this.#run.seed,
          stage: drawStage,
        },
      );
      await recorder.run(this.#run.signal);
      // Waiting here lets progress and abort follow the work, at one wait for hundreds of milliseconds of it.
      await scope.gpu.idle();
    });
  }
}
