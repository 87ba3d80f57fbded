import { nanoFiles } from "../../bark/load/nano.ts";
import { parseRepository } from "../../checkpoint/hub/repository.ts";
import { EngineError } from "../../engine/errors.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { noticeOf } from "../../engine/notice.ts";
import type { BarkTTSOptions } from "../bark_tts.ts";
import type { SpeechInput } from "../plan.ts";
import type { SpeakOptions, StreamOptions } from "../speak_options.ts";
import { Speech, type StreamedPiece } from "../speech.ts";
import { stoppable } from "../stoppable.ts";
import { pushesOf, type LiveText } from "../stream/pushes.ts";
import type { BarkServer } from "./bark_server.ts";
import type { Call, Connection, WorkerLike } from "./connection.ts";
import type { CheckpointFiles, Listeners, LoadedModel, WorkerLoadOptions, WorkerModel } from "./protocol.ts";

export type { WorkerLike };

export interface BarkWorkerOptions extends Omit<BarkTTSOptions, "gpu"> {
  /**
   * A worker that runs `bark-webgpu/worker`, or what makes one, so that another can follow one that ended:
   * `() => new Worker(new URL("bark-webgpu/worker", import.meta.url), { type: "module" })`.
   * Default: one that is made of a Blob, which a page's content security policy may forbid (`worker-src blob:`).
   */
  worker?: WorkerLike | (() => WorkerLike | Promise<WorkerLike>);
  /** What runs in the page where workers have no WebGPU: the module `bark-webgpu/worker`. Default: the package's own. */
  server?: () => Promise<{ BarkServer: typeof BarkServer }>;
}

/**
 * A BarkTTS in a worker of this page, which stays smooth while it speaks. Where workers have no WebGPU and the page has, it
 * runs in the page, with a notice. A device that is lost is opened anew unless `recover` is false.
 */
export class BarkWorker {
  readonly #model: WorkerModel;
  readonly #options: WorkerLoadOptions;
  readonly #listeners: Listeners;
  /** Makes a worker; undefined for one that was given, after which there is none. */
  readonly #make: (() => WorkerLike | Promise<WorkerLike>) | undefined;
  readonly #server: NonNullable<BarkWorkerOptions["server"]>;
  #connection: Connection | undefined;
  #opening: Promise<Connection> | undefined;
  #loaded: LoadedModel | undefined;
  #isDisposed = false;

  private constructor(model: WorkerModel, given: BarkWorkerOptions) {
    const { worker, server, signal, progress_callback, on_progress, onNotice, ...options } = given;
    void signal; // It is of the first loading alone.
    this.#model = model;
    this.#options = { recover: true, ...options };
    this.#listeners = { progress_callback, on_progress, onNotice };
    this.#server = server ?? (async () => await import("./bark_server.ts"));
    this.#make = worker === undefined ? blobWorker : typeof worker === "function" ? worker : undefined;
  }

  /**
   * Loads a checkpoint in a worker: `"nano"`, a repository on the hub, an address, which may be relative to the page, or
   * files of the person's computer by their paths.
   * @throws EngineError as `BarkTTS.from_pretrained`; `usage` where there are no workers; `io` if the worker ends.
   */
  static async from_pretrained(
    source: string | URL | CheckpointFiles,
    given: BarkWorkerOptions = {},
  ): Promise<BarkWorker> {
    const { worker, signal } = given;
    const bark = new BarkWorker(await sendableModel(source, given), given);
    try {
      await bark.#connect(typeof worker === "object" ? worker : await bark.#make!(), signal);
      return bark;
    } catch (error) {
      bark.dispose();
      throw error;
    }
  }

  /** What was loaded, and on which adapter. */
  get model(): LoadedModel {
    return this.#loaded!;
  }

  /** Names of the voices that come with the checkpoint. */
  list_voices(): string[] {
    return [...this.model.voices];
  }

  /**
   * Speaks a text. A signal takes effect in the page at once, and on the GPU at the next readback.
   * @throws EngineError as `BarkTTS.generate`; `usage` for a `verify`, which cannot be sent; `io` if the worker ends.
   */
  async generate(text: SpeechInput, given: SpeakOptions = {}): Promise<Speech> {
    const { signal, on_progress, ...options } = given;
    const connection = await this.#connected();
    const answer = await answered(connection.begin({ on_progress }, signal), (call) => {
      call.send({ kind: "generate", text, options });
    });
    const { audio, dims, sampling_rate, captions } = answer.speech!;
    return new Speech(new NdArray(audio, [...dims]), sampling_rate, captions);
  }

  /**
   * Speaks a text as `BarkTTS.stream` does: each part comes when it is asked for, and `return()`, or the signal, stops the
   * work. A text that is still being written is read as it comes.
   * @throws EngineError as {@link generate}.
   */
  stream(text: SpeechInput | LiveText, given: StreamOptions = {}): AsyncGenerator<StreamedPiece, void, undefined> {
    return stoppable(given.signal ?? undefined, (signal) => this.#stream(text, { ...given, signal }));
  }

  /** Ends the worker. Calls under way end with `usage`. */
  dispose(): void {
    this.#isDisposed = true;
    this.#connection?.end(disposed());
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async *#stream(
    text: SpeechInput | LiveText,
    { signal, on_progress, ...options }: StreamOptions,
  ): AsyncGenerator<StreamedPiece, void, undefined> {
    const call = (await this.#connected()).begin({ on_progress }, signal);
    const live = typeof text === "object" && Symbol.asyncIterator in text ? pushesOf(text) : undefined;
    try {
      call.send({ kind: "stream", text: live === undefined ? (text as SpeechInput) : null, options });
      if (live !== undefined) call.onPull = () => void push(live, call);
      for (;;) {
        call.send({ kind: "next" });
        const answer = await call.answer();
        if (answer.event === "done") return;
        yield answer.part;
      }
    } finally {
      call.close();
      // It may wait for text that never comes.
      live?.return().catch(() => undefined);
    }
  }

  /** The worker; another one with the same model, if that one has ended. */
  async #connected(): Promise<Connection> {
    if (this.#isDisposed) throw disposed();
    const ended = this.#connection?.ended;
    if (this.#connection !== undefined && ended === undefined) return this.#connection;
    if (this.#make === undefined) throw ended!;
    this.#opening ??= this.#reopen(this.#make, ended!).finally(() => (this.#opening = undefined));
    return await this.#opening;
  }

  async #reopen(make: () => WorkerLike | Promise<WorkerLike>, { problem }: EngineError): Promise<Connection> {
    const connection = await this.#connect(await make());
    this.#notice(`${problem}: the model was loaded in a new one`);
    return connection;
  }

  /** Loads the model in a worker, or in the page if only that has an adapter. */
  async #connect(worker: WorkerLike, signal?: AbortSignal | null): Promise<Connection> {
    try {
      return await this.#load(worker, signal);
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== "no-adapter" || !(await pageHasAdapter())) throw error;
      this.#connection?.end(error);
      const connection = await this.#load(workerOf((await this.#server()).BarkServer), signal);
      this.#notice(`a worker cannot use the GPU here (${error.problem}): Bark runs in the page, which may stutter`);
      return connection;
    }
  }

  async #load(worker: WorkerLike, signal: AbortSignal | null | undefined): Promise<Connection> {
    // Loaded here: a page that speaks by itself has no use for it.
    const { Connection } = await import("./connection.ts");
    const connection = new Connection(worker, (line) => this.#notice(line));
    this.#connection = connection;
    if (this.#isDisposed) connection.end(disposed());
    const answer = await answered(connection.begin(this.#listeners, signal), (call) => {
      call.send({ kind: "load", model: this.#model, options: this.#options });
    });
    this.#loaded = answer.model;
    return connection;
  }

  #notice(line: string): void {
    noticeOf(this.#listeners.onNotice ?? undefined)(line);
  }
}

/** The one answer of a call. */
async function answered(call: Call, send: (call: Call) => void) {
  try {
    send(call);
    const answer = await call.answer();
    if (answer.event === "chunk") throw new EngineError("internal", "only a stream has parts", { where: "worker" });
    return answer;
  } finally {
    call.close();
  }
}

/** Sends more of a text that is still being written. */
async function push(texts: AsyncGenerator<string | null, void, undefined>, call: Call): Promise<void> {
  try {
    const { done, value } = await texts.next();
    call.send(done === true ? { kind: "push" } : { kind: "push", text: value });
  } catch (error) {
    call.fail(error);
  }
}

function disposed(): EngineError {
  return new EngineError("usage", "the worker was disposed");
}

/** A worker knows neither the packages of its page nor to what its page's addresses are relative. */
async function sendableModel(
  source: string | URL | CheckpointFiles,
  { endpoint }: BarkWorkerOptions,
): Promise<WorkerModel> {
  if (typeof source === "object" && "files" in source) return source;
  if (source === "nano") return { name: source, files: await nanoFiles() };
  const text = String(source);
  const isRepository = parseRepository(text, { endpoint: endpoint ?? undefined }) !== undefined;
  const base = (globalThis.document as Document | undefined)?.baseURI;
  return !isRepository && URL.canParse(text, base) ? new URL(text, base).href : text;
}

async function pageHasAdapter(): Promise<boolean> {
  const gpu = (globalThis.navigator as Navigator | undefined)?.gpu;
  return ((await gpu?.requestAdapter()) ?? undefined) !== undefined;
}

/** The worker's code in this page, behind a channel of messages like a worker. */
function workerOf(Server: typeof BarkServer): WorkerLike {
  const { port1, port2 } = new MessageChannel();
  const server = new Server(port2);
  for (const port of [port1, port2]) port.start();
  return {
    postMessage: (message) => port1.postMessage(message),
    addEventListener: (type, listener) => port1.addEventListener(type, listener),
    terminate: () => {
      server.dispose();
      port1.close();
    },
  };
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
