import type { CoarseResult } from "../coarse_stage.ts";

/** The coarse tokens of one row while they are made. */
export class CoarseFrames {
  /** Ids of the coarse vocabulary, codebooks interleaved. */
  tokens: readonly number[] = [];
  /** Frames that there will be, at least. */
  atLeast = 0;
  /** What the stage ended with. */
  result: CoarseResult | undefined;
  readonly #steps: AsyncGenerator<CoarseResult, CoarseResult, undefined>;
  readonly #codebooks: number;

  constructor(steps: AsyncGenerator<CoarseResult, CoarseResult, undefined>, codebooks: number) {
    this.#steps = steps;
    this.#codebooks = codebooks;
  }

  /** Whole frames so far. */
  get frames(): number {
    return Math.floor(this.tokens.length / this.#codebooks);
  }

  /** Waits for more tokens, or the end. */
  async more(): Promise<void> {
    const { done, value } = await this.#steps.next();
    if (done === true) this.result = value;
    [this.tokens] = value.tokens;
    this.atLeast = Math.floor(value.lengths[0] / this.#codebooks);
  }
}
