import { defined } from "../engine/check/defined.ts";
import { EngineError } from "../engine/errors.ts";
import type { AppContext } from "./http/environment.ts";
import { createApp } from "./http/app.ts";
import type { ApiError } from "./http/errors.ts";
import { Models } from "./http/models.ts";
import { Admission } from "./admission.ts";
import type { SpeechBackend } from "./backend/backend.ts";
import { LocalBackend, type Speaker } from "./backend/local_backend.ts";
import { RoutedBackend } from "./backend/routed_backend.ts";
import type { RunReport } from "./backend/shared_model.ts";
import { Metrics } from "./metrics.ts";
import { Listener, type ListenOptions } from "./node/listener.ts";
import type { ServerOptions, ServerSettings } from "./options.ts";
import { readServerOptions } from "./read_options.ts";
import { VoiceTable } from "./voice_table.ts";

/** Seconds that requests have to end in when the server does. */
const usualDrain = 30;

/** Speech over HTTP. */
export class BarkHttpServer {
  readonly #running = new Set<AbortController>();
  readonly #fetch: (request: Request, bindings?: object) => Response | Promise<Response>;
  #listener: Listener | undefined;
  #isEnding = false;
  #wake = (): void => undefined;
  readonly #clientTimeout: number;
  readonly #backend: SpeechBackend;

  /** @param speaker a `BarkTTS`, or where else speech comes from. @throws EngineError `usage`. */
  constructor(speaker: Speaker | SpeechBackend, given: ServerOptions = {}) {
    const settings = readServerOptions(given);
    const { log, queue_size, max_wait, max_input, client_timeout } = settings;
    const admission = new Admission({ queue_size, max_wait });
    const metrics: Metrics = new Metrics({
      requests: () => admission.requests,
      seconds: () => admission.seconds,
      gpuBytes: () => backend.gpuBytes?.() ?? 0,
    });
    const backend = backendOf(speaker, settings, (run) => metrics.ran(run, backend.sampling_rate));
    this.#backend = backend;
    const ended = (c: AppContext, status: number, fields: object, error?: ApiError): void => {
      metrics.answered(c.get("route"), status);
      this.#wake();
      const ms = Math.round(performance.now() - c.get("began"));
      const [id, method, path] = [c.get("requestId"), c.req.method, c.get("route")];
      const said = { id, method, path, status, ms, ...fields, ...(error && { code: error.body.error.code }) };
      // Looked at every few seconds.
      if (["/livez", "/readyz", "/metrics"].includes(path)) return;
      if (status < 500) log.info(said, "answered");
      else if (status === 503) log.warn(defined({ ...said, cause: causeOf(error) }), "refused");
      else log.error({ ...said, cause: causeOf(error) }, "failed");
    };
    const app = createApp({
      ...{ backend, admission, metrics, settings, ended },
      voices: new VoiceTable(backend.voices, settings.voices_map, settings.uploads),
      models: new Models(backend.model, settings.aliases),
      limits: { max_input, max_wait, client_timeout },
      running: this.#running,
      isReady: () => !this.#isEnding,
    });
    this.#fetch = (request, bindings) => app.fetch(request, bindings);
    this.#clientTimeout = client_timeout;
  }

  /** Answers a request, for runtimes with a server of their own: `Deno.serve(server.fetch)`. */
  readonly fetch = async (request: Request, bindings: object = {}): Promise<Response> =>
    await this.#fetch(request, bindings);

  /** Listens, in Node. @returns its address. @throws EngineError `io` if the port is in use. */
  async listen(options: ListenOptions = {}): Promise<{ url: string }> {
    this.#listener = await Listener.open(this.#fetch, options, this.#clientTimeout);
    return { url: this.#listener.url };
  }

  /** Speeches under way. */
  get running(): number {
    return this.#running.size;
  }

  /**
   * Ends: `/readyz` says 503 and no new speech is taken, those under way have `drain` seconds to end, and what is left is
   * stopped. The model stays open.
   */
  async close({ drain = usualDrain }: { drain?: number } = {}): Promise<void> {
    this.#isEnding = true;
    const until = performance.now() + drain * 1000;
    while (this.#running.size > 0 && performance.now() < until)
      await this.#change(Math.min(1000, until - performance.now()));
    for (const stop of this.#running) stop.abort();
    // What was stopped says so to its client first.
    while (this.#running.size > 0 && performance.now() < until + 2000) await this.#change(100);
    await this.#listener?.close();
    await this.#backend.close?.();
  }

  /** Waits until a request ends, but not longer than so many milliseconds. */
  async #change(most: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, most));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Where speech comes from. @throws EngineError `usage` for a farm that nobody here can plan texts for. */
function backendOf(
  speaker: Speaker | SpeechBackend,
  { model: name, batch, farm, max_wait }: ServerSettings,
  report: (run: RunReport) => void,
): SpeechBackend {
  const isBackend = "prepare" in speaker;
  if (isBackend && farm !== undefined)
    throw new EngineError("usage", "needs a model here, which plans the texts", {
      where: "farm",
      fix: "give a BarkTTS, or leave it out",
    });
  if (isBackend) return speaker;
  const local = new LocalBackend(speaker, { name, batch, report });
  return farm === undefined ? local : new RoutedBackend(local, speaker, farm, max_wait);
}

/** What failed, in one line, for the log. */
function causeOf(error: ApiError | undefined): string | undefined {
  return error?.cause instanceof Error ? `${error.cause.name}: ${error.cause.message}` : undefined;
}
