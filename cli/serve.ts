import { createServer as createProbe } from "node:net";
import { once } from "node:events";
import { readCheckpoint } from "../bark/load/bark_checkpoint.ts";
import { BarkModel } from "../bark/model.ts";
import { processorOf } from "../bark/text/processor.ts";
import { createServer, jsonLog, requirePackages, requireVoices } from "../server/index.ts";
import { openModel } from "./files/model_location.ts";
import type { Interrupt } from "./process/interrupt.ts";
import { note, print } from "./process/print.ts";
import { ProgressLine } from "./process/progress.ts";
import { parseServe, type ServeOptions } from "./serve_options.ts";

/** Seconds beyond those of the requests in which the server ends. */
const reserve = 10;

/** `bark serve`: speech over HTTP, until it is stopped. */
export async function serve(args: readonly string[], interrupt: Interrupt): Promise<number> {
  const options = await parseServe(args);
  const { host, port, drain, quiet } = options;
  // Everything that can fail without the weights fails before they load.
  await requirePackages();
  await requirePort(host, port);
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
    const log = await jsonLog(quiet ? "warn" : "info");
    const server = await createServer({ model, processor }, { ...options.server, log });
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
  return 0;
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
