import { EngineError } from "../errors.ts";
import { onAbort } from "./abort.ts";
import { checkAborted, TransientFault } from "./retry.ts";

const maxRedirects = 10;
/** A connection on which nothing comes for this long counts as broken. */
const patience = 30_000;

export interface RequestOptions {
  method: "HEAD" | "GET";
  headers?: Readonly<Record<string, string>>;
  /** Sent to `endpoint` alone. */
  token?: string | undefined;
  endpoint: string;
  signal?: AbortSignal | undefined;
  /** A page cannot see a redirection: the browser follows it, and drops the token at another origin by itself. */
  isPage?: boolean;
}

/** What a server said at the end of a chain of redirections. */
export class HubAnswer {
  readonly status: number;
  readonly #response: Response;
  readonly #headers: readonly Headers[];
  readonly #watch: Watchdog;

  constructor(response: Response, headers: readonly Headers[], watch: Watchdog) {
    this.status = response.status;
    this.#response = response;
    this.#headers = headers;
    this.#watch = watch;
  }

  /**
   * A header of the first answer of the chain that has it. The hub describes a large file in the redirection to where it
   * lies; what stands there says other things of it.
   */
  first(name: string): string | undefined {
    return this.#headers.map((headers) => headers.get(name)).find((value) => value !== null) ?? undefined;
  }

  /** A header of the last answer. */
  last(name: string): string | undefined {
    return this.#response.headers.get(name) ?? undefined;
  }

  /** How long the server asks to wait, in milliseconds. */
  get retryAfter(): number | undefined {
    const text = this.last("retry-after");
    if (text === undefined) return undefined;
    const milliseconds = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
    return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
  }

  /** The body as it comes. @throws TransientFault where the connection breaks or stalls. */
  async *parts(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const reader = this.#response.body?.getReader();
    try {
      for (;;) {
        const read = await reader?.read().catch((cause: unknown) => {
          throw this.#watch.fault(this.#response.url, "the connection broke", cause);
        });
        if (read === undefined || read.done) return;
        this.#watch.touch();
        yield read.value;
      }
    } finally {
      await this.discard();
    }
  }

  /** What is left of a broken or unwanted answer is of no interest; unread, it would hold its connection open. */
  async discard(): Promise<void> {
    this.#watch.stop();
    await this.#response.body?.cancel().catch(() => undefined);
    this.#watch.abort();
  }
}

/**
 * Asks a server and follows where it sends.
 * @throws TransientFault if it cannot be reached or does not answer; EngineError `io` for a redirection to nowhere.
 */
export async function request(url: string, options: RequestOptions): Promise<HubAnswer> {
  const headers: Headers[] = [];
  let target = url;
  for (let hop = 0; hop <= maxRedirects; hop++) {
    checkAborted(options.signal);
    const watch = new Watchdog(options.signal);
    const response = await askOnce(target, options, watch);
    headers.push(response.headers);
    const answer = new HubAnswer(response, headers, watch);
    const location = response.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return answer;
    await answer.discard();
    // A large file is described by the redirection; where it lies, HEAD may not even be allowed.
    if (options.method === "HEAD" && response.headers.has("x-linked-etag")) return answer;
    target = resolve(location, target);
  }
  throw new EngineError("io", `more than ${maxRedirects} redirections`, { where: url });
}

async function askOnce(url: string, options: RequestOptions, watch: Watchdog): Promise<Response> {
  const { method, token, endpoint, isPage = false } = options;
  const own = token !== undefined && new URL(url).origin === new URL(endpoint).origin;
  const headers = {
    ...options.headers,
    ...(own ? { Authorization: `Bearer ${token}` } : {}),
    // Sizes and ranges count the bytes of the file, not those of its compressed form. A page must not set it.
    ...(isPage ? {} : { "Accept-Encoding": "identity" }),
  };
  try {
    return await fetch(url, { method, headers, redirect: isPage ? "follow" : "manual", signal: watch.signal });
  } catch (cause) {
    watch.stop();
    throw watch.fault(url, "cannot be reached", cause);
  }
}

function resolve(location: string, base: string): string {
  const isAddress = URL.canParse(location, base) && /^https?:$/.test(new URL(location, base).protocol);
  if (isAddress) return new URL(location, base).href;
  throw new EngineError("io", "redirects to an address that is none", { where: base, actual: location });
}

/** Breaks a request off when nothing has come for a while, or when the caller says so. */
class Watchdog {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #forget: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLate = false;

  constructor(outer: AbortSignal | undefined) {
    this.#outer = outer;
    this.#forget = onAbort(outer, () => this.abort());
    this.touch();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  touch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#isLate = true;
      this.abort();
    }, patience);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#forget();
  }

  abort(): void {
    this.#controller.abort();
  }

  /** What to throw for a failure of fetch. */
  fault(url: string, message: string, cause: unknown): Error {
    if (this.#outer?.aborted)
      return new EngineError("aborted", "the download was stopped", { where: url, cause: this.#outer.reason });
    const reason = this.#isLate ? `nothing came for ${patience / 1000} s` : reasonOf(cause);
    const details = { where: new URL(url).origin, fix: "check the network and try again", cause };
    const isOffline = !this.#isLate && !isBroken(cause);
    return new TransientFault(new EngineError("io", `${message}: ${reason}`, details), { isOffline });
  }
}

const brokenCodes: ReadonlySet<unknown> = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "UND_ERR_SOCKET"]);

/** Whether a server was there, and broke off: Node says so by a code, Deno in words, a page not at all. */
function isBroken(error: unknown): boolean {
  return brokenCodes.has(codeOf(error)) || reasonOf(error).includes("(SendRequest)");
}

/** Node says "fetch failed" and keeps why in the cause. */
function codeOf(error: unknown): unknown {
  return ((error as Error).cause as { code?: unknown } | undefined)?.code;
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  if (!(cause instanceof Error)) return message;
  const code = codeOf(error);
  return cause.message || (typeof code === "string" ? code : message);
}
