/** `bark-webgpu/worker`: a processor and a model in a worker of a page, which BarkWorker talks to. */
import "../checkpoint/web/index.ts";
import "../engine/web/index.ts";
import { BarkModel } from "../bark/model.ts";
import { readBarkOptions } from "../bark/load/load_arguments.ts";
import { openCheckpoint } from "../bark/load/open_checkpoint.ts";
import { BarkProcessor } from "../bark/text/processor.ts";
import {
  sendable,
  type Listeners,
  type Speech,
  type WorkerAnswer,
  type WorkerGenerateOptions,
  type WorkerLoadOptions,
  type WorkerModel,
  type WorkerRequest,
} from "../bark/worker/protocol.ts";
import { openAddresses } from "../checkpoint/open_addresses.ts";
import { EngineError } from "../engine/errors.ts";

interface Speaker {
  readonly processor: BarkProcessor;
  readonly model: BarkModel;
}

type Watch = Required<Listeners> & { signal: AbortSignal };

const stops = new Map<number, AbortController>();
let speaker: Promise<Speaker> | undefined;

addEventListener("message", (event: MessageEvent<WorkerRequest>) => {
  const request = event.data;
  if (request.kind === "abort") stops.get(request.id)?.abort();
  else void answer(request);
});

async function answer(request: Exclude<WorkerRequest, { kind: "abort" }>): Promise<void> {
  const { id } = request;
  const stop = new AbortController();
  stops.set(id, stop);
  try {
    const speech = await handle(request, { ...listenersOf(id), signal: stop.signal });
    if (speech === undefined) send({ id, event: "done" });
    else send({ id, event: "done", speech }, [speech.audio.buffer]);
  } catch (error) {
    send({ id, event: "error", error: sendable(error) });
  } finally {
    stops.delete(id);
  }
}

async function handle(request: Exclude<WorkerRequest, { kind: "abort" }>, watch: Watch): Promise<Speech | undefined> {
  if (request.kind === "generate") return await generate(request.text, request.options, watch);
  speaker = load(request.model, request.options, watch);
  await speaker;
  return undefined;
}

async function load(source: WorkerModel, options: WorkerLoadOptions, watch: Watch): Promise<Speaker> {
  const { signal, progress_callback, on_progress, onNotice } = watch;
  const settings = { ...options, signal, progress_callback, on_progress, onNotice };
  const location = typeof source === "string" ? source : await openAddresses(source.name, source.files, { signal });
  const store = await openCheckpoint(location, readBarkOptions(settings));
  const processor = await BarkProcessor.from_pretrained(store, { onNotice });
  return { processor, model: await BarkModel.from_pretrained(store, settings) };
}

async function generate(text: string, given: WorkerGenerateOptions, { signal, on_progress }: Watch): Promise<Speech> {
  if (speaker === undefined) throw new EngineError("usage", "no model was loaded", { where: "worker" });
  const { processor, model } = await speaker;
  const { voice_preset = null, names_only = false, allow_urls = false, ...kwargs } = given;
  const { semantic_config, sample_rate } = model.generation_config;
  const max_length = semantic_config.max_input_semantic_length;
  const inputs = await processor(text, { max_length, voice_preset, names_only, allow_urls });
  const audio = await model.generate({ ...inputs, ...kwargs, signal, on_progress });
  // A copy: with a part of a larger array all of that would be transferred.
  return { audio: Float32Array.from(audio.data), sampling_rate: sample_rate };
}

function listenersOf(id: number): Required<Listeners> {
  return {
    progress_callback: (value) => send({ id, event: "progress", listener: "progress_callback", value }),
    on_progress: (value) => send({ id, event: "progress", listener: "on_progress", value }),
    onNotice: (value) => send({ id, event: "progress", listener: "onNotice", value }),
  };
}

function send(message: WorkerAnswer, transfer: Transferable[] = []): void {
  (globalThis as unknown as { postMessage(message: unknown, transfer: Transferable[]): void }).postMessage(
    message,
    transfer,
  );
}
