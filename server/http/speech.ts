import { lettersOf } from "../../speech/split/measure.ts";
import { defined } from "../../engine/check/defined.ts";
import type { PreparedRequest, SpeechBackend, SpeechOptions } from "../backend/backend.ts";
import type { Admission, Ticket } from "../admission.ts";
import type { Metrics } from "../metrics.ts";
import type { VoiceTable } from "../voice_table.ts";
import { readJson } from "./body.ts";
import type { AppContext } from "./environment.ts";
import { breakOff } from "./environment.ts";
import { ApiError, apiErrorOf } from "./errors.ts";
import type { Models } from "./models.ts";
import { isField, readFields, type SpeechFields } from "./schemas.ts";
import { mimeOf, openEvents, openSound, soundOptions, type Sound } from "./sound.ts";

/** What the speech route works with. */
export interface SpeechService {
  readonly backend: SpeechBackend;
  readonly voices: VoiceTable;
  readonly models: Models;
  readonly admission: Admission;
  readonly metrics: Metrics;
  readonly limits: SpeechLimits;
  /** Those under way; each is stopped by its own. */
  readonly running: Set<AbortController>;
  /** Writes the line of a request that has ended. */
  readonly ended: (c: AppContext, status: number, fields: object, error?: ApiError) => void;
}

export interface SpeechLimits {
  /** Characters of a text. */
  readonly max_input: number;
  /** Seconds that a request may wait for its first sound. */
  readonly max_wait: number;
  /** Seconds after which a client that takes nothing is given up. */
  readonly client_timeout: number;
}

/** A character takes six bytes of JSON at most (two of UTF-16, escaped twice: twelve). */
const bytesOfCharacter = 12;
/** Of all other fields. */
const bytesOfFields = 65_536;

/** `POST /v1/audio/speech`. */
export async function speech(c: AppContext, service: SpeechService): Promise<Response> {
  const { backend, admission, limits, metrics, running } = service;
  const most = limits.max_input * bytesOfCharacter + bytesOfFields;
  const { fields, unknown } = readFields(await readJson(c.req.raw, most));
  const client = c.get("client");
  const stop = new AbortController();
  const request = requestOf(fields, service);
  // A full queue costs no planning.
  const isElsewhere = backend.isElsewhere?.(request) === true;
  admission.check(client, isElsewhere);
  const leave = (): void => stop.abort();
  c.req.raw.signal.addEventListener("abort", leave, { once: true });
  running.add(stop);
  let ticket: Ticket | undefined;
  const end = (): void => {
    ticket?.end();
    running.delete(stop);
    c.req.raw.signal.removeEventListener("abort", leave);
  };
  try {
    const prepared = await backend.prepare(request, stop.signal);
    const options = soundOptions(fields);
    const isSse = fields.stream_format === "sse";
    const sound = await (isSse ? openEvents(backend, options, prepared) : openSound(backend, options));
    if (c.req.raw.signal.aborted) leave();
    ticket = admission.admit(client, prepared.letters, isElsewhere);
    const answer = new SpeechAnswer(
      c,
      { prepared, sound, ticket, client, stop, isElsewhere, limits, admission, metrics },
      (error) => {
        end();
        const fields = {
          letters: Math.round(prepared.letters),
          seconds: Math.round(answer.seconds * 100) / 100,
          format: options.format,
        };
        service.ended(c, answer.status, fields, error);
      },
    );
    await answer.begin();
    c.set("isStream", true);
    return new Response(answer.stream(), {
      headers: {
        "Content-Type": isSse ? "text/event-stream; charset=utf-8" : mimeOf(options.format, backend.sampling_rate),
        "Cache-Control": "no-store",
        // nginx would keep an answer until it has all of it.
        "X-Accel-Buffering": "no",
        "x-bark-seed": String(prepared.seed),
        ...warningOf([...warningsOf(fields, unknown, isSse), ...prepared.notices]),
      },
    });
  } catch (error) {
    end();
    throw apiErrorOf(error, isField);
  }
}

/** Bytes of a speech, from the first sound to the end of the connection. */
class SpeechAnswer {
  readonly #c: AppContext;
  readonly #parts: AsyncGenerator<Uint8Array, void, undefined>;
  readonly #work: AnswerWork;
  readonly #ended: (error?: ApiError) => void;
  #first: Uint8Array | undefined;
  #isOver = false;
  #patience: NodeJS.Timeout | undefined;
  /** Of sound that was given out. */
  seconds = 0;
  status = 200;

  constructor(c: AppContext, work: AnswerWork, ended: (error?: ApiError) => void) {
    this.#c = c;
    this.#work = work;
    this.#ended = ended;
    this.#parts = this.#bytes();
  }

  /** Waits for the first bytes, so that what fails before them is an error and no broken sound. */
  async begin(): Promise<void> {
    const { admission, limits, metrics, stop, isElsewhere } = this.#work;
    const giveUp = (): void => stop.abort(admission.waitedTooLong());
    const tooLong = isElsewhere ? undefined : setTimeout(giveUp, limits.max_wait * 1000);
    try {
      this.#first = await this.#next();
      metrics.firstSound(performance.now() - this.#c.get("began"));
    } finally {
      clearTimeout(tooLong);
    }
  }

  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          clearTimeout(this.#patience);
          try {
            const bytes = this.#first ?? (await this.#next());
            this.#first = undefined;
            if (bytes !== undefined) {
              controller.enqueue(bytes);
              this.#wait();
              return;
            }
            this.#over();
            controller.close();
          } catch (cause) {
            this.#fail(apiErrorOf(cause, isField), controller);
          }
        },
        cancel: () => this.#giveUp(),
      },
      // Nothing is made before it is asked for.
      { highWaterMark: 0 },
    );
  }

  /** The client is gone, or takes nothing. */
  #giveUp(): void {
    this.#work.stop.abort();
    if (this.#isOver) return;
    this.#work.metrics.aborted();
    this.status = 499;
    this.#over();
  }

  /** Gives a client up who takes nothing for too long, and would keep a place for ever. */
  #wait(): void {
    const giveUp = (): void => {
      this.#giveUp();
      breakOff(this.#c);
    };
    this.#patience = setTimeout(giveUp, this.#work.limits.client_timeout * 1000);
    this.#patience.unref();
  }

  #fail(error: ApiError, controller: ReadableStreamDefaultController<Uint8Array>): void {
    if (this.#isOver) return;
    this.status = error.status;
    this.#over(error);
    const last = this.#work.sound.failed?.(error);
    if (last !== undefined) {
      controller.enqueue(last);
      controller.close();
    } else if (!breakOff(this.#c)) controller.error(error);
  }

  #over(error?: ApiError): void {
    clearTimeout(this.#patience);
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts.return().catch(() => undefined);
    this.#ended(error);
  }

  async #next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const { done, value } = await this.#parts.next();
      if (done === true) return undefined;
      if (value.length > 0) return value;
    }
  }

  async *#bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    const { prepared, sound, ticket, client, metrics, stop } = this.#work;
    for await (const part of prepared.speak(client)) {
      stop.signal.throwIfAborted();
      const seconds = part.audio.length / part.sampling_rate;
      this.seconds += seconds;
      metrics.gaveOut(seconds, part.is_last ? part.attempts - 1 : 0);
      if (part.is_last) ticket.spoken(lettersOf(part.text));
      yield await sound.part(part);
    }
    yield await sound.end();
  }
}

interface AnswerWork {
  readonly prepared: PreparedRequest;
  readonly sound: Sound;
  readonly ticket: Ticket;
  readonly client: string;
  readonly stop: AbortController;
  readonly isElsewhere: boolean;
  readonly limits: SpeechLimits;
  readonly admission: Admission;
  readonly metrics: Metrics;
}

/** What is asked for. @throws ApiError for a model or voice that is not there, a text that is too long, another speed. */
function requestOf(fields: SpeechFields, { voices, models, limits }: SpeechService) {
  models.require(fields.model);
  // Counted in characters as people do, where it matters.
  const isLong = fields.input.length > limits.max_input && [...fields.input].length > limits.max_input;
  if (isLong)
    throw new ApiError(400, `'input' is too long: at most ${limits.max_input} characters are spoken.`, {
      param: "input",
      code: "string_above_max_length",
    });
  if ((fields.speed ?? 1) !== 1)
    throw new ApiError(400, "Bark speaks at speed 1 alone; change the speed of what you get.", {
      param: "speed",
      code: "unsupported_value",
    });
  const name = typeof fields.voice === "string" ? fields.voice : fields.voice.id;
  const found = voices.find(name);
  if (found === undefined) {
    const nearest = voices.nearest(name);
    const hint = nearest === undefined ? "GET /v1/audio/voices lists them." : `Did you mean '${nearest}'?`;
    throw new ApiError(400, `There is no voice '${name.slice(0, 60)}'. ${hint}`, {
      param: "voice",
      code: "voice_not_found",
    });
  }
  const { seed } = fields;
  return { input: fields.input, voice: found.voice, seed: seed ?? undefined, options: optionsOf(fields) };
}

function optionsOf(fields: SpeechFields): SpeechOptions {
  const { greedy, temperature, fine_temperature, top_k, top_p, ...rest } = fields;
  const { semantic_temperature, coarse_temperature } = rest;
  const sampling = { temperature, semantic_temperature, coarse_temperature, fine_temperature, top_k, top_p };
  const clash = Object.entries(sampling).find(([, value]) => (value ?? undefined) !== undefined)?.[0];
  if (greedy === true && clash !== undefined)
    throw new ApiError(400, `'greedy' picks without '${clash}': leave out one of them.`, {
      param: clash,
      code: "invalid_value",
    });
  const { language, normalize, split, latency, retries, loudness, min_eos_p, semantic_max_new_tokens } = rest;
  const shared = { language, normalize, split, latency, retries, loudness, min_eos_p, semantic_max_new_tokens };
  const given = Object.entries({ ...shared, ...sampling }).filter(([, value]) => value !== null);
  const greedily = { do_sample: false, temperature: null, fine_temperature: null };
  return { ...(defined(Object.fromEntries(given)) as SpeechOptions), ...(greedy === true ? greedily : {}) };
}

/** What has no effect. */
function warningsOf({ instructions, captions }: SpeechFields, unknown: readonly string[], isSse: boolean): string[] {
  return [
    ...(instructions ? ["instructions: Bark takes none, they have no effect"] : []),
    ...(captions === true && !isSse ? ["captions: they are events of stream_format sse alone"] : []),
    ...(unknown.length > 0 ? [`no such fields, they have no effect: ${unknown.join(", ")}`] : []),
  ];
}

const mostWarning = 1000;

/** A header of RFC 7234, of printable ASCII alone. */
function warningOf(lines: readonly string[]): { Warning?: string } {
  if (lines.length === 0) return {};
  const text = lines.join("; ").slice(0, mostWarning);
  return { Warning: `299 bark "${text.replaceAll(/[^ -~]/gu, "?").replaceAll(/["\\]/g, "'")}"` };
}
