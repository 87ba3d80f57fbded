import type { BarkStage } from "../output.ts";

/** Time by stage, where each stage waits for the one before it. */
export class StageClock {
  readonly milliseconds: Record<BarkStage, number> = { semantic: 0, coarse: 0, fine: 0, codec: 0 };
  #stage: BarkStage | undefined;
  #since = 0;

  /** The same steps, whose time is this stage's and not that of the one that waits for them. */
  async *timed<T, R>(stage: BarkStage, steps: AsyncGenerator<T, R, undefined>): AsyncGenerator<T, R, undefined> {
    try {
      for (;;) {
        const waiting = this.#stage;
        this.#goTo(stage);
        const step = await steps.next().finally(() => this.#goTo(waiting));
        if (step.done === true) return step.value;
        yield step.value;
      }
    } finally {
      await steps.return(undefined as never);
    }
  }

  #goTo(stage: BarkStage | undefined): void {
    const now = performance.now();
    if (this.#stage !== undefined) this.milliseconds[this.#stage] += now - this.#since;
    [this.#stage, this.#since] = [stage, now];
  }
}
