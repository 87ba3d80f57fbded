import { EngineError } from "../engine/errors.ts";
import type { Gpu } from "../engine/gpu.ts";
import type { Program } from "../engine/program.ts";

/**
 * Multiply-adds recorded into one submit. Systems reset a GPU whose submit runs for seconds (Windows after 2 s), and a
 * caller's AbortSignal is looked at between two submits.
 */
const workPerSubmit = 5e8;

/** Records a long walk into several programs of bounded work. */
export class Recorder {
  readonly gpu: Gpu;
  readonly #programs: Program[] = [];
  #work = 0;

  constructor(gpu: Gpu) {
    this.gpu = gpu;
  }

  /** The program to record the next dispatch of `work` multiply-adds into. */
  program(work: number): Program {
    if (this.#programs.length === 0 || this.#work + work > workPerSubmit) {
      this.#programs.push(this.gpu.program(`codec ${this.#programs.length}`));
      this.#work = 0;
    }
    this.#work += work;
    return this.#programs.at(-1)!;
  }

  /** Runs everything in order. @throws EngineError `aborted`. */
  async run(signal?: AbortSignal, onProgress?: (done: number, total: number) => void): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.ready()));
    for (const [i, program] of this.#programs.entries()) {
      if (signal?.aborted) throw new EngineError("aborted", "decoding of the audio was aborted");
      await program.run();
      await this.gpu.idle();
      onProgress?.(i + 1, this.#programs.length);
    }
  }

  dispose(): void {
    for (const program of this.#programs) program.dispose();
  }
}
