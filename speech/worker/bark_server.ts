import { openAddresses } from "../../checkpoint/open_addresses.ts";
import { EngineError } from "../../engine/errors.ts";
import { BarkTTS } from "../bark_tts.ts";
import type { StreamedPiece } from "../speech.ts";
import { TextSplitterStream } from "../text_splitter_stream.ts";
import {
  sendable,
  type LoadedModel,
  type Listeners,
  type WorkerAnswer,
  type WorkerModel,
  type WorkerRequest,
  type WorkerResult,
} from "./protocol.ts";

/** What is used of a worker's scope, or of a MessagePort. */
export interface ServerPort {
  postMessage(message: WorkerAnswer, transfer: ArrayBuffer[]): void;
  addEventListener(type: "message", listener: (event: { readonly data: WorkerRequest }) => void): void;
}

type Request<K extends WorkerRequest["kind"]> = Extract<WorkerRequest, { kind: K }>;
type Watch = Required<Listeners> & { readonly signal: AbortSignal };

interface Stream {
  readonly parts: AsyncGenerator<StreamedPiece, void, undefined>;
  /** A text that is still being written. */
  readonly text: PulledText | undefined;
}

/** A BarkTTS that answers a BarkWorker through a port: in a worker or, where workers have no WebGPU, in the page itself. */
export class BarkServer {
  readonly #port: ServerPort;
  readonly #stops = new Map<number, AbortController>();
  readonly #streams = new Map<number, Stream>();
  #speaker: Promise<BarkTTS> | undefined;

  constructor(port: ServerPort) {
    this.#port = port;
    port.addEventListener("message", ({ data }) => this.#receive(data));
  }

  /** Ends all calls and frees the device. */
  dispose(): void {
    for (const id of this.#stops.keys()) this.#abort(id);
    this.#speaker?.then(
      (speaker) => speaker.dispose(),
      () => undefined,
    );
  }

  #receive(request: WorkerRequest): void {
    const { id, kind } = request;
    if (kind === "load") void this.#answer(id, async () => ({ model: await this.#load(request) }));
    else if (kind === "generate") void this.#answer(id, async () => ({ speech: await this.#generate(request) }));
    else if (kind === "stream") this.#begin(request);
    else if (kind === "next") void this.#next(id);
    else if (kind === "push") this.#streams.get(id)?.text?.receive(request.text);
    else this.#abort(id);
  }

  async #answer(id: number, work: () => Promise<Omit<Extract<WorkerResult, { event: "done" }>, "event">>) {
    try {
      const value = await work();
      this.#send({ id, event: "done", ...value }, value.speech ? [value.speech.audio.buffer] : []);
    } catch (error) {
      this.#send({ id, event: "error", error: sendable(error) });
    } finally {
      this.#stops.delete(id);
    }
  }

  async #load({ id, model, options }: Request<"load">): Promise<LoadedModel> {
    const watch = this.#watch(id);
    this.#speaker = sourceOf(model, watch.signal).then((source) =>
      BarkTTS.from_pretrained(source, {
        ...options,
        ...watch,
        on_progress: (progress) => watch.on_progress?.({ ...progress, piece: 0, pieces: 0 }),
      }),
    );
    const speaker = await this.#speaker;
    const { gpu, dtype, generation_config } = speaker.model;
    const { adapterName: adapter, isSoftware: is_software, ledger } = gpu;
    const { sample_rate: sampling_rate } = generation_config;
    return { voices: speaker.list_voices(), sampling_rate, dtype, adapter, is_software, gpu_bytes: ledger.bytes };
  }

  async #generate({ id, text, options }: Request<"generate">) {
    const { signal, on_progress } = this.#watch(id);
    const speaker = await this.#loaded();
    const { audio, dims, sampling_rate, captions } = await speaker.generate(text, { ...options, signal, on_progress });
    // A copy: a view would transfer its whole array.
    return { audio: Float32Array.from(audio), dims, sampling_rate, captions };
  }

  #begin({ id, text, options }: Request<"stream">): void {
    const { signal, on_progress } = this.#watch(id);
    const written = text === null ? new PulledText(() => this.#send({ id, event: "pull" })) : undefined;
    const loaded = this.#loaded();
    const parts = (async function* () {
      yield* (await loaded).stream(text ?? written!, { ...options, signal, on_progress });
    })();
    loaded.catch(() => undefined); // The first `next` is answered by it.
    this.#streams.set(id, { parts, text: written });
  }

  async #next(id: number): Promise<void> {
    try {
      const next = await this.#streams.get(id)?.parts.next();
      if (next?.done === false) {
        const audio = Float32Array.from(next.value.audio);
        return this.#send({ id, event: "chunk", part: { ...next.value, audio } }, [audio.buffer]);
      }
      this.#send({ id, event: "done" });
    } catch (error) {
      this.#send({ id, event: "error", error: sendable(error) });
    }
    this.#streams.delete(id);
    this.#stops.delete(id);
  }

  #abort(id: number): void {
    this.#stops.get(id)?.abort();
    // One that waits to be asked is not woken by a signal.
    this.#streams
      .get(id)
      ?.parts.return()
      .catch(() => undefined);
    this.#streams.delete(id);
    this.#stops.delete(id);
  }

  async #loaded(): Promise<BarkTTS> {
    if (this.#speaker === undefined) throw new EngineError("usage", "no model was loaded", { where: "worker" });
    return await this.#speaker;
  }

  #watch(id: number): Watch {
    const stop = new AbortController();
    this.#stops.set(id, stop);
    return {
      signal: stop.signal,
      progress_callback: (value) => this.#send({ id, event: "progress", listener: "progress_callback", value }),
      on_progress: (value) => this.#send({ id, event: "progress", listener: "on_progress", value }),
      onNotice: (value) => this.#send({ id, event: "progress", listener: "onNotice", value }),
    };
  }

  #send(message: WorkerAnswer, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

/** A text that is still being written, somewhere else. It is asked for as it is needed: it may have no end. */
class PulledText extends TextSplitterStream {
  readonly #pull: () => void;
  #resolve: ((text: string | null | undefined) => void) | undefined;

  constructor(pull: () => void) {
    super();
    this.#pull = pull;
  }

  /** @param text what was asked for; null: a flush; undefined: there is no more. */
  receive(text: string | null | undefined): void {
    this.#resolve?.(text);
  }

  override async *pushes(): AsyncGenerator<string | null, void, undefined> {
    for (;;) {
      const text = await new Promise<string | null | undefined>((resolve) => {
        this.#resolve = resolve;
        this.#pull();
      });
      if (text === undefined) return;
      yield text;
    }
  }
}

async function sourceOf(model: WorkerModel, signal: AbortSignal) {
  return typeof model === "string" ? model : await openAddresses(model.name, model.files, { signal });
}
