import { nanoFiles } from "../../bark/load/nano.ts";
import { parseRepository } from "../../checkpoint/hub/repository.ts";
import { EngineError } from "../../engine/errors.ts";
import { NdArray } from "../../engine/ndarray.ts";
import type { BarkTTSOptions } from "../bark_tts.ts";
import type { SpeechInput } from "../plan.ts";
import type { SpeakOptions } from "../speak_options.ts";
import { Speech } from "../speech.ts";
import {
  received,
  type Listeners,
  type SentAudio,
  type WorkerAnswer,
  type WorkerModel,
  type WorkerRequest,
} from "./protocol.ts";

/** What is used of a page's `Worker`. */
export interface WorkerLike {
  postMessage(message: unknown): void;
  addEventListener(type: "message" | "error" | "messageerror", listener: (event: Event) => void): void;
  terminate(): void;
}

export interface BarkWorkerOptions extends Omit<BarkTTSOptions, "gpu"> {
  /**
   * A worker that runs `bark-webgpu/worker`:
   * `new Worker(new URL("bark-webgpu/worker", import.meta.url), { type: "module" })`.
   * Default: one that is made of a Blob, which a page's content security policy may forbid (`worker-src blob:`).
   */
  worker?: WorkerLike;
}

type Distribute<T> = T extends unknown ? Omit<T, "id"> : never;

interface Call {
  readonly listeners: Listeners;
  readonly resolve: (speech: SentAudio | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** A BarkTTS in a worker of this page, which stays smooth while it speaks. */
export class BarkWorker {
  readonly #worker: WorkerLike;
  readonly #calls = new Map<number, Call>();
  #lastId = 0;
  #end: EngineError | undefined;

  private constructor(worker: WorkerLike) {
    this.#worker = worker;
    worker.addEventListener("message", (event) => this.#receive((event as MessageEvent<WorkerAnswer>).data));
    worker.addEventListener("error", (event) => {
      const message = (event as ErrorEvent).message || "the worker's code cannot be loaded";
      this.#finish(new EngineError("io", `the worker ended: ${message}`, { where: "worker" }));
    });
  }

  /**
   * Loads a checkpoint in a worker: `"nano"`, a repository on the hub, or an address, which may be relative to the page.
   * @throws EngineError as `BarkTTS.from_pretrained`; `usage` where there are no workers; `io` if the worker ends.
   */
  static async from_pretrained(source: string | URL, given: BarkWorkerOptions = {}): Promise<BarkWorker> {
    const { worker, signal, progress_callback, on_progress, onNotice, ...options } = given;
    const model = await sendableModel(source, given);
    const bark = new BarkWorker(worker ?? (await blobWorker()));
    try {
      const listeners = { progress_callback, on_progress, onNotice };
      await bark.#call({ kind: "load", model, options }, listeners, signal);
      return bark;
    } catch (error) {
      bark.dispose();
      throw error;
    }
  }

  /** Speaks a text. @throws EngineError as `BarkTTS.generate`; `usage` for a `verify`, which cannot be sent. */
  async generate(text: SpeechInput, given: SpeakOptions = {}): Promise<Speech> {
    const { signal, on_progress, ...options } = given;
    const speech = await this.#call({ kind: "generate", text, options }, { on_progress }, signal);
    const { audio, dims, sampling_rate, captions } = speech!;
    return new Speech(new NdArray(audio, [...dims]), sampling_rate, captions);
  }

  /** Ends the worker. Calls under way end with `usage`. */
  dispose(): void {
    this.#finish(new EngineError("usage", "the worker was disposed"));
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async #call(request: Distribute<WorkerRequest>, listeners: Listeners, signal?: AbortSignal | null) {
    if (this.#end !== undefined) throw this.#end;
    const id = ++this.#lastId;
    const abort = (): void => this.#worker.postMessage({ id, kind: "abort" } satisfies WorkerRequest);
    const answer = new Promise<SentAudio | undefined>((resolve, reject) =>
      this.#calls.set(id, { listeners, resolve, reject }),
    );
    try {
      this.#send({ ...request, id });
      if (signal?.aborted) abort();
      signal?.addEventListener("abort", abort);
      return await answer;
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#calls.delete(id);
    }
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
    if (answer.event === "done") call?.resolve(answer.speech);
    else if (answer.event === "error") call?.reject(received(answer.error));
    else (call?.listeners[answer.listener] as ((value: unknown) => void) | null | undefined)?.(answer.value);
  }

  #finish(end: EngineError): void {
    this.#end ??= end;
    this.#worker.terminate();
    for (const { reject } of this.#calls.values()) reject(this.#end);
  }
}

/** A worker knows neither the packages of its page nor to what its page's addresses are relative. */
async function sendableModel(source: string | URL, { endpoint }: BarkWorkerOptions): Promise<WorkerModel> {
  if (source === "nano") return { name: source, files: await nanoFiles() };
  const text = String(source);
  const isRepository = parseRepository(text, { endpoint: endpoint ?? undefined }) !== undefined;
  const base = (globalThis.document as Document | undefined)?.baseURI;
  return !isRepository && URL.canParse(text, base) ? new URL(text, base).href : text;
}

async function blobWorker(): Promise<Worker> {
  const { workerText } = await import("./worker_text.ts");
  if (typeof Worker === "undefined" || workerText === undefined)
    throw new EngineError("usage", "there is no worker to run Bark in", {
      where: "worker",
      fix: "give one that runs bark-webgpu/worker; outside of pages use BarkTTS",
    });
  const address = URL.createObjectURL(new Blob([workerText], { type: "text/javascript" }));
  const worker = new Worker(address, { type: "module", name: "bark-webgpu" });
  // By then every browser has fetched it.
  worker.addEventListener("message", () => URL.revokeObjectURL(address), { once: true });
  return worker;
}
