import { EngineError } from "../errors.ts";
import type { Gpu } from "../gpu.ts";
import type { Scope } from "../scope.ts";
import type { Program } from "./program.ts";

/** Gives the program for the next dispatch of `work` multiply-adds: always the same, or one of several of bounded work. */
export interface Recording {
  program(work: number): Program;
}

/** Records everything into one program. */
export function into(program: Program): Recording {
  return { program: () => program };
}

/**
 * Multiply-adds recorded into one submit. Systems reset a GPU whose submit runs for seconds (Windows after 2 s), and a
 * caller's AbortSignal is checked between two submits: about a tenth of a second, on either kind of adapter.
 */
const workPerSubmit = { software: 5e8, gpu: 2e10 };

/** Records a long walk into several programs of bounded work. */
export class Recorder implements Recording {
  readonly gpu: Gpu;
  readonly #scope: Scope;
  /** Name of the work, for errors and timings: "codec decode". */
  readonly task: string;
  readonly #programs: Program[] = [];
  readonly #most: number;
  #work = 0;

  /** @param scope frees the programs. */
  constructor(scope: Scope, task: string) {
    this.gpu = scope.gpu;
    this.#scope = scope;
    this.task = task;
    this.#most = scope.gpu.isSoftware ? workPerSubmit.software : workPerSubmit.gpu;
  }

  program(work: number): Program {
    if (this.#programs.length === 0 || this.#work + work > this.#most) {
      this.#programs.push(this.#scope.program(`${this.task} ${this.#programs.length}`));
      this.#work = 0;
    }
    this.#work += work;
    return this.#programs.at(-1)!;
  }

  /** Runs everything in order. @throws EngineError `aborted`. */
  async run(signal?: AbortSignal, onProgress?: (done: number, total: number) => void): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.ready()));
    let running: Promise<void> | undefined;
    for (const [i, program] of this.#programs.entries()) {
      if (signal?.aborted) throw new EngineError("aborted", `${this.task} was aborted`, { cause: signal.reason });
      await program.run();
      // A GPU gets the next submit before it has finished this one, so that it never waits for the host; only one ahead, so
      // that an abort is not late. The reader of the result does the last wait.
      if (running !== undefined) await running;
      if (i + 1 < this.#programs.length) {
        running = this.gpu.idle();
        running.catch(() => undefined); // It is awaited a turn later.
        if (this.gpu.isSoftware) await running;
      }
      onProgress?.(i + 1, this.#programs.length);
    }
  }
}
