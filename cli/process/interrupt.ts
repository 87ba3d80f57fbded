import { EngineError } from "../../engine/errors.ts";
import { removeTemporaries } from "../../checkpoint/node/atomic_file.ts";

/** Milliseconds for the current work to stop: ending the process under a running adapter may crash it. */
const usualPatience = 10_000;

/** One Ctrl-C can arrive twice: from the terminal, and passed on by tsx if this process did not answer at once. */
const sameSignal = 500;

/** The last: the terminal was closed. */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Ctrl-C (and SIGTERM, SIGHUP): stops the current work; a second one ends the process at once. */
export class Interrupt {
  readonly #controller = new AbortController();
  #since = 0;
  /** What an interrupted run leaves behind. */
  left = "nothing was written";
  /** Milliseconds that the work may take to stop. */
  patience = usualPatience;
  #isStuck = false;

  constructor() {
    for (const name of signals) process.on(name, () => this.#interrupt());
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  #interrupt(): void {
    if (!this.signal.aborted) {
      this.#since = performance.now();
      return this.#controller.abort();
    }
    if (performance.now() - this.#since > sameSignal) die();
  }

  /** The result of `work`, which heeds the signal. @throws EngineError `aborted` if the signal came before its end. */
  async guard<T>(work: Promise<T>): Promise<T> {
    const gaveUp = new Promise<never>((_, reject) => {
      const giveUp = (): void => {
        this.#isStuck = true;
        reject(this.#stopped());
      };
      this.signal.addEventListener("abort", () => setTimeout(giveUp, this.patience));
    });
    return await Promise.race([work, gaveUp]).catch((error: unknown) => {
      throw this.signal.aborted ? this.#stopped() : error;
    });
  }

  /** Called before anything is written. @throws EngineError `aborted`. */
  check(): void {
    if (this.signal.aborted) throw this.#stopped();
  }

  #stopped(): EngineError {
    return new EngineError("aborted", `interrupted; ${this.left}`);
  }

  /** Ends the process, even if something in it does not end. */
  exit(code: number): never {
    if (this.#isStuck) die();
    process.exit(code);
  }
}

/**
 * By the signal itself, which a shell reports as 130: an exit would wait for every thread of Node, and a thread that opens
 * a pipe without another end, or reads from a lost server, never returns.
 */
function die(): never {
  removeTemporaries();
  for (const name of signals) process.removeAllListeners(name);
  process.kill(process.pid, "SIGINT");
  process.exit(130);
}
