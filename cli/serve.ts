import { createServer as createProbe } from "node:net";
import { once } from "node:events";
import { readCheckpoint } from "../bark/load/bark_checkpoint.ts";
import { BarkModel } from "../bark/model.ts";
import { processorOf } from "../bark/text/processor.ts";
import type { FileStore } from "../checkpoint/stores/file_store.ts";
import { fingerprintOf } from "../bark/load/fingerprint.ts";
import type { OnNotice } from "../engine/notice.ts";
import { createServer, jsonLog, requirePackages, requireVoices } from "../server/index.ts";
import type { LongTexts, ServerLog } from "../server/index.ts";
import { Farm } from "../server/queue/farm.ts";
import type { Kind } from "../server/queue/kind.ts";
import { openStore } from "../server/queue/stores/open.ts";
import { openModel } from "./files/model_location.ts";
import type { Interrupt } from "./process/interrupt.ts";
import { note, print } from "./process/print.ts";
import { ProgressLine } from "./process/progress.ts";
import { version } from "./process/version.ts";
import { parseServe, type FarmAddress, type ServeOptions } from "./serve_options.ts";

/** Seconds beyond those of the requests in which the server ends. */
const reserve = 10;

/** `bark serve`: speech over HTTP, until it is stopped. */
export async function serve(args: readonly string[], interrupt: Interrupt): Promise<number> {
  const options = await parseServe(args);
  const { host, port, quiet } = options;
  // Everything that can fail without the weights fails before they load.
  await requirePackages();
  await requirePort(host, port);
  const log = await jsonLog(quiet ? "warn" : "info");
  const farm = options.farm && (await openFarm(options.farm, (line) => log.warn({}, line)));
  try {
    await serveWith(options, log, farm, interrupt);
  } finally {
    await farm?.farm.close();
  }
  return 0;
}

async function serveWith(
  options: ServeOptions,
  log: ServerLog,
  farm: OpenFarm | undefined,
  interrupt: Interrupt,
): Promise<void> {
  const { host, port, drain, quiet } = options;
  const progress = new ProgressLine();
  const onNotice = (line: string): void => progress.note(line);
  const store = await openModel(options.model, interrupt.signal, options);
  const checkpoint = await readCheckpoint(store, onNotice);
  // What it tells is of texts, which belong to clients and into no log.
  const processor = await processorOf(checkpoint, { names_only: true, onNotice: () => undefined });
  requireVoices(processor.available_voice_presets, options.server.voices_map);
  const model = await BarkModel.from_checkpoint(checkpoint, {
    ...{ ...options.load, recover: true, signal: interrupt.signal, onNotice: quiet ? () => undefined : onNotice },
    ...(quiet ? {} : { on_progress: progress.report }),
  }).finally(() => progress.end());
  try {
    const long = farm && { farm: { ...farm, kind: await kindOf(store, options, farm.store.id) } };
    const server = await createServer({ model, processor }, { ...options.server, ...long, log });
    const { url } = await server.listen({ host, port });
    interrupt.patience = (drain + reserve) * 1000;
    print(readyLine(url, options));
    if (!interrupt.signal.aborted) await once(interrupt.signal, "abort");
    if (server.running > 0)
      note(`ending: ${server.running} requests have ${drain} s; press Ctrl+C again to end at once`);
    await server.close({ drain });
  } finally {
    model.dispose();
  }
}

type OpenFarm = Omit<LongTexts, "kind">;

/** @throws EngineError as {@link Farm.open} and {@link openStore}: `usage`, or `io` where nobody answers. */
async function openFarm({ queue, store, from }: FarmAddress, notice: OnNotice): Promise<OpenFarm> {
  const farm = await Farm.open(queue, notice);
  try {
    return { farm, store: await openStore(store), ...(from !== undefined && { from }) };
  } catch (error) {
    await farm.close();
    throw error;
  }
}

/** What workers must have that speak as this server does. */
async function kindOf(checkpoint: FileStore, { load }: ServeOptions, store: string): Promise<Kind> {
  const [ours, fingerprint] = [await version(), await fingerprintOf(checkpoint)];
  return { version: ours, checkpoint: fingerprint, dtype: load.dtype ?? "as stored", store };
}

/** Where it is, and how to try it. */
function readyLine(url: string, { server: { model, api_keys = [] } }: ServeOptions): string {
  const key = api_keys.length > 0 ? ' -H "Authorization: Bearer $BARK_API_KEY"' : "";
  const body = `'{"model": "${model}", "input": "Hello.", "voice": "alloy"}'`;
  const curl = `curl ${url}/v1/audio/speech${key} -H "Content-Type: application/json" -d ${body} -o hello.mp3`;
  return `${url}/v1 speaks with ${model}; try: ${curl}`;
}

/** Looks before the weights are loaded, which takes minutes. @throws EngineError `io` if the port is taken. */
async function requirePort(host: string, port: number): Promise<void> {
  const { listenError } = await import("../server/node/listen_error.ts");
  const probe = createProbe();
  try {
    probe.listen(port, host);
    await once(probe, "listening");
  } catch (error) {
    throw listenError(error as NodeJS.ErrnoException, host, port);
  }
  await new Promise((resolve) => probe.close(resolve));
}
