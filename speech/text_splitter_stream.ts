import { EngineError } from "../engine/errors.ts";

/**
 * Text that is still being written, such as a language model's answer, for `BarkTTS.stream`: push what there is, and close
 * it. By itself it can be iterated: it gives stretches of one piece each, which together are the text.
 */
export class TextSplitterStream implements AsyncIterable<string> {
  /** What was pushed; null: a flush. */
  readonly #ready: (string | null)[] = [];
  #isClosed = false;
  #isHeard = false;
  #wake: (() => void) | undefined;

  /** @throws EngineError `usage` after the end, or for what is no text. */
  push(...texts: string[]): void {
    for (const text of texts)
      if (typeof text !== "string")
        throw new EngineError("usage", "takes texts", { where: "push", expected: "a string", actual: typeof text });
    this.#add("push", texts);
  }

  /** What was pushed is spoken without waiting for more: for a pause of the writer. */
  flush(): void {
    this.#add("flush", [null]);
  }

  /** Ends the text. */
  close(): void {
    this.#add("close", [null]);
    this.#isClosed = true;
  }

  /** For a listener: what was pushed as it comes, null for a flush. @throws EngineError `usage` if there is another. */
  async *pushes(): AsyncGenerator<string | null, void, undefined> {
    if (this.#isHeard) throw new EngineError("usage", "is listened to already", { where: "TextSplitterStream" });
    this.#isHeard = true;
    for (;;) {
      const next = this.#ready.shift();
      if (next !== undefined) yield next;
      else if (this.#isClosed) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** @throws EngineError `usage` the second time: each stretch is given once. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, undefined> {
    // Loaded here: a page that speaks whole texts has no use for it.
    const { splitPushes } = await import("./split/stream.ts");
    yield* splitPushes(this.pushes());
  }

  #add(call: string, pushed: readonly (string | null)[]): void {
    if (this.#isClosed) throw new EngineError("usage", "the text was closed", { where: call });
    this.#ready.push(...pushed);
    // The listener looks a turn later, when close() is done.
    this.#wake?.();
  }
}
