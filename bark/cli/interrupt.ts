import { EngineError } from "../../engine/errors.ts";

/** The work at hand has this long to come to a stop: ending the process under a running adapter may crash it. */
const patience = 10_000;

/** One Ctrl-C can arrive twice: from the terminal, and passed on by tsx if this process did not answer at once. */
const sameSignal = 500;

/** Ctrl-C (and SIGTERM): stops the work at hand; a second one ends the process at once. */
export class Interrupt {
  readonly #controller = new AbortController();
  #since = 0;

  constructor() {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => this.#interrupt());
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  #interrupt(): void {
    if (!this.signal.aborted) {
      this.#since = performance.now();
      return this.#controller.abort();
    }
    if (performance.now() - this.#since > sameSignal) process.exit(130);
  }

  /** The result of `work`, which is to heed the signal. @throws EngineError `aborted` if that came before its end. */
  async guard<T>(work: Promise<T>): Promise<T> {
    const gaveUp = new Promise<never>((_, reject) => {
      this.signal.addEventListener("abort", () => setTimeout(() => reject(stopped()), patience));
    });
    return await Promise.race([work, gaveUp]).catch((error: unknown) => {
      throw this.signal.aborted ? stopped() : error;
    });
  }

  /** Called before anything is written. @throws EngineError `aborted`. */
  check(): void {
    if (this.signal.aborted) throw stopped();
  }
}

function stopped(): EngineError {
  return new EngineError("aborted", "interrupted; nothing was written");
}
