import { Scope } from "../../../engine/scope.ts";
import type { Tensor } from "../../../engine/tensor.ts";
import type { FineWeights } from "../../gpt/fine_weights.ts";
import type { HistoryPrompt } from "../../voice/history_prompt.ts";
import type { BarkGenerationConfig } from "../../config/generation_config.ts";
import { fineInput, isFineWindowSettled, planFine, putCoarse, settledFrames, type FinePlan } from "../fine_plan.ts";
import { checkWhole, FineStage } from "../fine_stage.ts";
import type { FineOptions } from "../options/generate_options.ts";
import type { LatencyOptions } from "../options/stream_arguments.ts";
import type { StageRun } from "../stage_run.ts";
import type { CoarseFrames } from "./coarse_frames.ts";

/** Frames that `low` gives out first: less than half a second is heard as a stutter, more comes late. */
const firstFrames = 30;

/**
 * The fine stage of coarse tokens that are still being made.
 * @param most frames that there can be.
 * @yields codes of the next frames, [frames, n_fine_codebooks].
 */
export async function* streamFine(
  model: FineWeights,
  coarse: CoarseFrames,
  history: HistoryPrompt | null,
  config: BarkGenerationConfig,
  options: FineOptions,
  run: StageRun,
  { latency, lookahead, most }: Required<LatencyOptions> & { most: number },
): AsyncGenerator<Uint32Array<ArrayBuffer>, void, undefined> {
  const scope = new Scope(model.gpu);
  try {
    const stage = new FineStage(scope, model, config, options, run);
    const stream = new FineStream(stage, coarse, history, config, most);
    if (latency === "exact") yield* stream.exact();
    else yield* stream.growing(lookahead);
  } finally {
    scope.dispose();
  }
}

class FineStream {
  readonly #stage: FineStage;
  readonly #coarse: CoarseFrames;
  readonly #config: BarkGenerationConfig;
  readonly #promptFrames: number;
  readonly #codes: Tensor<"u32">;
  /** The codes before the windows that are still to come, [frames, n_fine_codebooks]; those of the windows before stay. */
  #settled: Uint32Array<ArrayBuffer>;
  /** Windows that no later frame can change, and that are done. */
  #done = 0;
  #given = 0;

  constructor(
    stage: FineStage,
    coarse: CoarseFrames,
    voice: HistoryPrompt | null,
    config: BarkGenerationConfig,
    most: number,
  ) {
    this.#stage = stage;
    this.#coarse = coarse;
    this.#config = config;
    this.#promptFrames = voice?.fine_prompt.shape[1] ?? 0;
    this.#settled = fineInput(this.#planOf(most), [], voice, config);
    this.#codes = stage.buffer(this.#settled);
  }

  /** Window by window, each as soon as all that it sees is there. Frames are given out when no window to come predicts them. */
  async *exact(): AsyncGenerator<Uint32Array<ArrayBuffer>, void, undefined> {
    for (;;) {
      while (!this.#isWhole && !this.#isNextSettled()) {
        await this.#coarse.more();
        // As the end comes in sight, more frames turn out to be settled. A few alone are not worth a run of the codec.
        const settled = this.#settledFrames();
        if (this.#isWhole || settled >= this.#given + firstFrames) yield* this.#giveOut(this.#settled, settled);
      }
      const plan = this.#planOf(this.#coarse.frames);
      if (this.#done === plan.windows.length) return;
      this.#settled = await this.#predict(plan, this.#done, this.#settled);
      this.#done++;
      yield* this.#giveOut(this.#settled, this.#settledFrames());
    }
  }

  /**
   * The reference's windows over the frames so far, again and again: of what they predict, the frames are given out that have
   * `lookahead` frames to their right. Nothing that was given out is fed back, which would be worse than to predict it
   * again (people-notes A.4). A run begins when twice as many frames can be given out as were, so that there are few.
   */
  async *growing(lookahead: number): AsyncGenerator<Uint32Array<ArrayBuffer>, void, undefined> {
    while (!this.#isWhole || this.#given < this.#coarse.frames) {
      const wanted = Math.max(firstFrames, 2 * this.#given) + lookahead;
      while (!this.#isWhole && this.#coarse.frames < wanted) await this.#coarse.more();
      const plan = this.#planOf(this.#coarse.frames);
      let codes = this.#settled;
      for (let n = this.#done; n < plan.windows.length; n++) {
        const isSettled = isFineWindowSettled(plan, n, this.#config.fine_acoustics_config);
        codes = await this.#predict(plan, n, codes);
        if (isSettled && n === this.#done) [this.#settled, this.#done] = [codes, n + 1];
      }
      yield* this.#giveOut(codes, this.#isWhole ? plan.frames : plan.frames - lookahead);
    }
  }

  get #isWhole(): boolean {
    if (this.#coarse.result === undefined) return false;
    checkWhole([this.#coarse.tokens], this.#config.coarse_acoustics_config.n_coarse_codebooks);
    return true;
  }

  #planOf(frames: number): FinePlan {
    return planFine(frames, this.#promptFrames, this.#config.fine_acoustics_config);
  }

  /** Whether the next window has all that it sees, and is the same whatever comes behind. */
  #isNextSettled(): boolean {
    return isFineWindowSettled(this.#planOf(this.#coarse.frames), this.#done, this.#config.fine_acoustics_config);
  }

  /** Frames that no window to come changes. */
  #settledFrames(): number {
    const isLast = this.#isWhole && this.#done === this.#planOf(this.#coarse.frames).windows.length;
    if (isLast) return this.#coarse.frames;
    const plan = this.#planOf(Math.max(this.#coarse.atLeast, this.#coarse.frames));
    return settledFrames(plan, this.#done, this.#config.fine_acoustics_config);
  }

  /** The codes with those of window `n` of a plan predicted. @param before codes after the windows before it. */
  async #predict(plan: FinePlan, n: number, before: Uint32Array<ArrayBuffer>): Promise<Uint32Array<ArrayBuffer>> {
    const { n_fine_codebooks: books, max_fine_input_length: width } = this.#config.fine_acoustics_config;
    const { n_coarse_codebooks: given } = this.#config.coarse_acoustics_config;
    const codes = before.slice();
    // Behind the window before, nothing is predicted yet.
    const first = n === 0 ? 0 : plan.windows[n - 1].start + width - plan.history;
    putCoarse(codes, plan, this.#coarse.tokens.slice(0, plan.frames * given), this.#config, Math.max(0, first));
    this.#codes.write(codes);
    const passes = books - given;
    this.#stage.passes = this.#stage.done + (plan.windows.length - n) * passes;
    this.#stage.passesAreKnown = this.#isWhole;
    await this.#stage.predict(this.#codes, plan.windows[n], n * passes);
    return (await this.#codes.read()) as Uint32Array<ArrayBuffer>;
  }

  *#giveOut(codes: Uint32Array<ArrayBuffer>, end: number): Generator<Uint32Array<ArrayBuffer>, void, undefined> {
    const { n_fine_codebooks: books } = this.#config.fine_acoustics_config;
    if (end <= this.#given) return;
    const { history } = this.#planOf(this.#coarse.frames);
    const first = this.#given;
    this.#given = end;
    yield codes.slice((history + first) * books, (history + end) * books);
  }
}
