import type { BarkProgress } from "../../bark/generate/output.ts";
import type { Gpu } from "../../engine/gpu.ts";
import type { Program } from "../../engine/program/program.ts";

/** What the submits of one kind did. */
export interface Part {
  milliseconds: number;
  submits: number;
  dispatches: number;
  /** How often submits of this kind followed on others: the number of prefills. */
  bursts: number;
}

/**
 * Times every submit of a device apart, told by the first word of the label of what is submitted and, where stages
 * share it, the stage that reports progress. Each is waited for, so the sum is a little more than nobody watching takes.
 */
export class SubmitProbe {
  /** By name: `semantic prefill`, `semantic decode`, `coarse prefill`, `coarse decode`, `fine`, `codec`. */
  readonly parts = new Map<string, Part>();
  /** Units that each stage reported to be done. */
  readonly done = new Map<BarkProgress["stage"], number>();
  readonly #gpu: Gpu;
  #stage: BarkProgress["stage"] = "load";
  #last = "";

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
    const submit = gpu.submit.bind(gpu);
    gpu.submit = async (programs) => {
      await Promise.all(programs.map((program) => program.ready()));
      await gpu.idle();
      const before = { ...gpu.counters };
      const start = performance.now();
      await submit(programs);
      await gpu.idle();
      this.#count(programs, performance.now() - start, gpu.counters.dispatches - before.dispatches);
    };
  }

  /** To be called with the progress of the run. */
  readonly report = ({ stage, done }: BarkProgress): void => {
    this.#stage = stage;
    this.done.set(stage, done);
  };

  #count(programs: readonly Program[], milliseconds: number, dispatches: number): void {
    const kind = programs[0]?.label.split(" ")[0] ?? "nothing";
    const name = kind === "prefill" || kind === "decode" ? `${this.#stage} ${kind}` : kind;
    const part = this.parts.get(name) ?? { milliseconds: 0, submits: 0, dispatches: 0, bursts: 0 };
    this.parts.set(name, part);
    part.milliseconds += milliseconds;
    part.submits++;
    part.dispatches += dispatches;
    if (name !== this.#last) part.bursts++;
    this.#last = name;
  }

  /** Gives the device its own `submit` back. */
  dispose(): void {
    Reflect.deleteProperty(this.#gpu, "submit");
  }
}
