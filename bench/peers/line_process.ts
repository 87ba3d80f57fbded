import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { createInterface } from "node:readline";

/** A worker that answers in lines of JSON behind an `@` (worker.ts, pytorch.py). */
export class LineProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  #stderr = "";

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(command, args, { env });
    this.#child.stderr.on("data", (chunk: Buffer) => (this.#stderr = (this.#stderr + chunk.toString()).slice(-2000)));
    this.#child.on("error", (error) => (this.#stderr = error.message));
    this.#child.stdin.on("error", () => undefined); // It ended: told by the answer that does not come.
    this.#answers = this.#lines();
  }

  async *#lines(): AsyncGenerator<string> {
    for await (const line of createInterface({ input: this.#child.stdout }))
      if (line.startsWith("@")) yield line.slice(1);
  }

  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** The next answer. @throws Error with what the worker says went wrong. */
  async answer<T>(): Promise<T> {
    const { value, done } = (await this.#answers.next()) as IteratorResult<string, undefined>;
    if (done) throw new Error(lastLine(this.#stderr) || "it ended without a word");
    const message = JSON.parse(value) as T | { error: string };
    if (typeof message === "object" && message !== null && "error" in message) throw new Error(message.error);
    return message;
  }

  /** Lets it end, and ends it if it does not. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    const closed = new Promise<void>((resolve) => this.#child.once("close", () => resolve()));
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 5000);
    await closed;
    clearTimeout(timer);
  }
}

function lastLine(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  return (
    lines.findLast((line) => /error|cannot|not found|no such/i.test(line)) ??
    lines.findLast((line) => line !== "") ??
    ""
  );
}
