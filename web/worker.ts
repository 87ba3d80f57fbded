/** `bark-webgpu/worker`: a BarkTTS in a worker of a page, which BarkWorker talks to. */
import "../bark/web.ts";
import { openAddresses } from "../checkpoint/open_addresses.ts";
import { EngineError } from "../engine/errors.ts";
import { BarkTTS } from "../speech/bark_tts.ts";
import {
  sendable,
  type Listeners,
  type SentAudio,
  type WorkerAnswer,
  type WorkerModel,
  type WorkerRequest,
} from "../speech/worker/protocol.ts";

type Call = Exclude<WorkerRequest, { kind: "abort" }>;

const stops = new Map<number, AbortController>();
let speaker: Promise<BarkTTS> | undefined;

addEventListener("message", ({ data }: MessageEvent<WorkerRequest>) => {
  if (data.kind === "abort") stops.get(data.id)?.abort();
  else void answer(data);
});

async function answer(call: Call): Promise<void> {
  const { id } = call;
  const stop = new AbortController();
  stops.set(id, stop);
  try {
    const speech = await run(call, { ...listenersOf(id), signal: stop.signal });
    if (speech === undefined) send({ id, event: "done" });
    else send({ id, event: "done", speech }, [speech.audio.buffer]);
  } catch (error) {
    send({ id, event: "error", error: sendable(error) });
  } finally {
    stops.delete(id);
  }
}

async function run(call: Call, watch: Listeners & { signal: AbortSignal }): Promise<SentAudio | undefined> {
  if (call.kind === "load") {
    const { signal } = watch;
    speaker = sourceOf(call.model, signal).then((source) =>
      BarkTTS.from_pretrained(source, {
        ...call.options,
        ...watch,
        on_progress: (progress) => watch.on_progress?.({ ...progress, piece: 0, pieces: 0 }),
      }),
    );
    await speaker;
    return undefined;
  }
  if (speaker === undefined) throw new EngineError("usage", "no model was loaded", { where: "worker" });
  const { signal, on_progress } = watch;
  const { audio, dims, sampling_rate, captions } = await (
    await speaker
  ).generate(call.text, { ...call.options, signal, on_progress });
  // A copy: a view would transfer its whole array.
  return { audio: Float32Array.from(audio), dims, sampling_rate, captions };
}

async function sourceOf(model: WorkerModel, signal: AbortSignal) {
  return typeof model === "string" ? model : await openAddresses(model.name, model.files, { signal });
}

function listenersOf(id: number): Required<Listeners> {
  return {
    progress_callback: (value) => send({ id, event: "progress", listener: "progress_callback", value }),
    on_progress: (value) => send({ id, event: "progress", listener: "on_progress", value }),
    onNotice: (value) => send({ id, event: "progress", listener: "onNotice", value }),
  };
}

/** TypeScript takes this for a page, which has another `postMessage`. */
const scope = globalThis as unknown as { postMessage(message: WorkerAnswer, transfer: Transferable[]): void };

function send(message: WorkerAnswer, transfer: Transferable[] = []): void {
  scope.postMessage(message, transfer);
}
