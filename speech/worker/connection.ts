import { EngineError } from "../../engine/errors.ts";
import { received, type Listeners, type WorkerAnswer, type WorkerRequest, type WorkerResult } from "./protocol.ts";

/** What is used of a page's `Worker`. */
export interface WorkerLike {
  postMessage(message: unknown): void;
  addEventListener(type: "message" | "error" | "messageerror", listener: (event: Event) => void): void;
  terminate(): void;
}

type Distribute<T> = T extends unknown ? Omit<T, "id"> : never;

/** The page's end of one worker: calls under way, and the worker's end. */
export class Connection {
  readonly #worker: WorkerLike;
  readonly #calls = new Map<number, Call>();
  readonly #onNotice: (line: string) => void;
  #lastId = 0;
  #end: EngineError | undefined;

  /** @param onNotice hears what no call listens to: a device that was opened anew. */
  constructor(worker: WorkerLike, onNotice: (line: string) => void) {
    this.#worker = worker;
    this.#onNotice = onNotice;
    worker.addEventListener("message", (event) => this.#receive((event as MessageEvent<WorkerAnswer>).data));
    worker.addEventListener("error", (event) => {
      const message = (event as ErrorEvent).message || "its code cannot be loaded, or the page's policy forbids it";
      this.end(new EngineError("io", `the worker ended: ${message}`, { where: "worker" }));
    });
    worker.addEventListener("messageerror", () =>
      this.end(new EngineError("io", "the worker ended: it sent what this page cannot read", { where: "worker" })),
    );
  }

  /** Why the worker ended, if it has. */
  get ended(): EngineError | undefined {
    return this.#end;
  }

  /** A call with an id of its own. Whoever begins it closes it. @throws EngineError of the worker's end. */
  begin(listeners: Listeners, signal?: AbortSignal | null): Call {
    if (this.#end !== undefined) throw this.#end;
    const id = ++this.#lastId;
    const send = (request: Distribute<WorkerRequest>): void => this.#send({ ...request, id });
    const call = new Call(listeners, signal, send, () => this.#calls.delete(id));
    this.#calls.set(id, call);
    return call;
  }

  /** Ends the worker and all calls. */
  end(reason: EngineError): void {
    this.#end ??= reason;
    this.#worker.terminate();
    for (const call of this.#calls.values()) call.fail(this.#end);
  }

  #send(request: WorkerRequest): void {
    try {
      this.#worker.postMessage(request);
    } catch (cause) {
      const fix = "give what structuredClone takes: no functions, no devices";
      throw new EngineError("usage", `cannot be sent to a worker: ${(cause as Error).message}`, { fix, cause });
    }
  }

  #receive(answer: WorkerAnswer): void {
    const call = this.#calls.get(answer.id);
    if (answer.event === "progress" && answer.listener === "onNotice") this.#onNotice(answer.value);
    else call?.receive(answer);
  }
}

/** A call of a worker, whose answers are asked for one at a time. */
export class Call {
  /** @throws EngineError `usage` for what cannot be sent. */
  readonly send: (request: Distribute<WorkerRequest>) => void;
  /** Called when the worker wants more of a text that is still being written. */
  onPull: (() => void) | undefined;
  readonly #listeners: Listeners;
  readonly #signal: AbortSignal | null | undefined;
  readonly #forget: () => void;
  #waiting: { resolve(result: WorkerResult): void; reject(error: unknown): void } | undefined;
  /** One that came before it was waited for. */
  #ready: WorkerResult | undefined;
  #failure: { readonly error: unknown } | undefined;
  #isOver = false;

  constructor(
    listeners: Listeners,
    signal: AbortSignal | null | undefined,
    send: (request: Distribute<WorkerRequest>) => void,
    forget: () => void,
  ) {
    this.send = send;
    this.#listeners = listeners;
    this.#signal = signal;
    this.#forget = forget;
    if (signal?.aborted === true) this.#abort();
    signal?.addEventListener("abort", this.#abort);
  }

  /** The next answer. @throws EngineError that the worker sends, or by which the call {@link fail}s. */
  async answer(): Promise<WorkerResult> {
    if (this.#failure !== undefined) throw this.#failure.error;
    const ready = this.#ready;
    this.#ready = undefined;
    return ready ?? (await new Promise((resolve, reject) => (this.#waiting = { resolve, reject })));
  }

  receive(answer: WorkerAnswer): void {
    if (answer.event === "progress")
      return (this.#listeners[answer.listener] as ((value: unknown) => void) | null | undefined)?.(answer.value);
    if (answer.event === "pull") return this.onPull?.();
    this.#isOver = answer.event !== "chunk";
    if (answer.event === "error") this.fail(received(answer.error));
    else if (this.#waiting === undefined) this.#ready = answer;
    else {
      this.#waiting.resolve(answer);
      this.#waiting = undefined;
    }
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#waiting?.reject(this.#failure.error);
  }

  /** Stops what the worker still does for it. */
  close(): void {
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#forget();
    if (!this.#isOver) this.send({ kind: "abort" });
  }

  // The page does not wait until the GPU has heard of it: a slow one takes longer than a person who pressed "stop" does.
  readonly #abort = (): void =>
    this.fail(new EngineError("aborted", "speaking was stopped", { cause: this.#signal?.reason }));
}
