import type { BarkProgress } from "../../bark/generate/output.ts";

/** The stages that decode token by token. */
export const decodeStages = ["semantic", "coarse"] as const;
export type DecodeStage = (typeof decodeStages)[number];

/** Decode steps and what they took; a step gives one token a row. */
export interface DecodeTimes {
  steps: number;
  milliseconds: number;
  /** CPU time of the process: on a software adapter the kernels' too, whatever else the machine does. */
  cpuMilliseconds: number;
}

/**
 * Times the decode as it runs when nobody watches, from progress alone: from the first readback after a prefill to the
 * last one before the next. What comes before the first is prefill in part, so it is left out.
 */
export class DecodeClock {
  readonly times: Readonly<Record<DecodeStage, DecodeTimes>> = {
    semantic: { steps: 0, milliseconds: 0, cpuMilliseconds: 0 },
    coarse: { steps: 0, milliseconds: 0, cpuMilliseconds: 0 },
  };
  #stage: BarkProgress["stage"] = "load";
  #done = 0;
  /** When the last readback was; undefined while a prefill runs. */
  #last: { wall: number; cpu: number } | undefined;

  /** To be called with the progress of the run. */
  readonly report = ({ stage, done }: BarkProgress): void => {
    // A stage tells before a prefill how far it was, which is what it told last.
    const isPrefill = stage !== this.#stage || done === this.#done;
    if (isPrefill) this.#last = undefined;
    else if (stage === "semantic" || stage === "coarse") this.#read(this.times[stage], done - this.#done);
    this.#stage = stage;
    this.#done = done;
  };

  #read(times: DecodeTimes, steps: number): void {
    const { user, system } = process.cpuUsage();
    const now = { wall: performance.now(), cpu: (user + system) / 1000 };
    if (this.#last !== undefined) {
      times.steps += steps;
      times.milliseconds += now.wall - this.#last.wall;
      times.cpuMilliseconds += now.cpu - this.#last.cpu;
    }
    this.#last = now;
  }
}
