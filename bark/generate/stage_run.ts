import { EngineError } from "../../engine/errors.ts";
import type { SampleOptions } from "../../kernels/sample/sample.ts";
import type { BarkSemanticGenerationConfig } from "../config/generation_config.ts";
import type { CausalWeights, PrefillInput } from "../gpt/causal_weights.ts";
import type { SamplingOptions } from "./options/causal_options.ts";
import type { SemanticOptions } from "./options/generate_options.ts";
import type { BarkProgress, BarkStage } from "./output.ts";

/** Numbers that keep the random draws of the stages apart; the fine stage counts up from its own. */
export const drawStages = { semantic: 1, coarse: 2, fine: 16 } as const;

/** What a stage needs from its run: the seed, the signal to stop, the listener and the readback interval. */
export class StageRun {
  readonly seed: bigint;
  /** The caller's choice; undefined leaves it to the session. */
  readonly tokensPerReadback: number | undefined;
  readonly #runs: number;
  readonly #stage: BarkStage;
  readonly #signal: AbortSignal | undefined;
  readonly #onProgress: ((progress: BarkProgress) => void) | undefined;
  readonly #start = performance.now();

  constructor(
    stage: BarkStage,
    options: {
      seed: bigint;
      signal?: AbortSignal | undefined;
      onProgress?: ((progress: BarkProgress) => void) | undefined;
      tokensPerReadback?: number | undefined;
      /** In the batch: the rows of each draw as if it were alone. Default 1. */
      runs?: number;
    },
  ) {
    this.#stage = stage;
    this.seed = options.seed;
    this.tokensPerReadback = options.tokensPerReadback;
    this.#runs = options.runs ?? 1;
    this.#signal = options.signal;
    this.#onProgress = options.onProgress;
  }

  get signal(): AbortSignal | undefined {
    return this.#signal;
  }

  /** How many of `rows` rows are one run. */
  drawRows(rows: number): number {
    return rows / this.#runs;
  }

  get milliseconds(): number {
    return performance.now() - this.#start;
  }

  /** Reports how far the stage is. @throws EngineError `aborted` if the caller's signal fired. */
  report(done: number, total: number, totalIsKnown = this.#stage !== "semantic"): void {
    if (this.#signal?.aborted)
      throw new EngineError("aborted", "generation was stopped", { where: this.#stage, cause: this.#signal.reason });
    this.#onProgress?.({ stage: this.#stage, done, total, totalIsKnown, milliseconds: this.milliseconds });
  }
}

/** The part of {@link SampleOptions} that follows from a stage's sampling options. */
export function sampling(
  options: SamplingOptions,
  draw: Required<Pick<SampleOptions, "seed" | "stage" | "drawRows">>,
): Omit<SampleOptions, "ranges" | "eos" | "minEosP"> {
  const { do_sample, temperature, top_k, top_p } = options;
  return { greedy: !do_sample, temperature, topK: top_k, topP: top_p, ...draw };
}

/** What both ways of picking semantic tokens work from. */
export interface SemanticRequest {
  readonly model: CausalWeights;
  readonly inputs: readonly PrefillInput[];
  readonly config: BarkSemanticGenerationConfig;
  readonly options: SemanticOptions;
  readonly run: StageRun;
}

/** Where the windows of a coarse plan stand in the stage. */
export interface WindowsPlace {
  /** Rows of one run. */
  readonly drawRows: number;
  /** Tokens of a row that other plans make before this one, and that all of them make. */
  readonly before?: number;
  readonly total?: number;
}
