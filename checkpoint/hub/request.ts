import { shownAddress, splitCredentials } from "../address.ts";
import { EngineError } from "../../engine/errors.ts";
import { onAbort } from "./abort.ts";
import { checkAborted, TransientFault } from "./retry.ts";

const maxRedirects = 10;
const defaultPatience = 30_000;
/** A connection counts as broken if fewer bytes come within the patience. */
const leastProgress = 1024;
/** Bytes of a body that lie in one Blob: a browser can keep Blobs on disk. */
const blockBytes = 16 << 20;
/** Most bytes of a file that is kept whole because its server sends no parts; */
const maxWhole = 2 ** 32;
/** the same for a file whose size the server does not name. */
export const maxUntold = 2 ** 26;

export interface NetworkOptions {
  signal?: AbortSignal | undefined;
  /** A page cannot see a redirection: the browser follows it, and drops the token at another origin by itself. */
  isPage?: boolean | undefined;
  /** Advice for an address that cannot be reached. */
  adviseOffline?: ((url: URL) => string | undefined) | undefined;
  /** Milliseconds without progress after which a connection counts as broken. */
  patience?: number | undefined;
}

export interface RequestOptions extends NetworkOptions {
  method: "HEAD" | "GET";
  headers?: Readonly<Record<string, string>>;
  /** The header of that name. Sent to the origin of the first address, to no other. */
  authorization?: string | undefined;
}

/** A server's answer at the end of a chain of redirections. */
export class HttpAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly #response: Response;
  readonly #url: URL;
  readonly #headers: readonly Headers[];
  readonly #watch: Watchdog;

  constructor(response: Response, url: URL, headers: readonly Headers[], watch: Watchdog) {
    this.status = response.status;
    this.statusText = response.statusText;
    this.#response = response;
    this.#url = url;
    this.#headers = headers;
    this.#watch = watch;
  }

  /**
   * A header, from the first answer of the chain that has it. The hub describes a large file in its redirection; the final
   * answer's headers describe the storage object, not the file.
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
          throw this.#watch.fault(this.#url, "the connection broke", cause);
        });
        if (read === undefined || read.done) return;
        this.#watch.progress(read.value.length);
        yield read.value;
      }
    } finally {
      await this.discard();
    }
  }

  /**
   * `kept` and the body behind it. Reading stops soon after `limit` bytes of the body, so compare the size.
   * @param kept takes what comes, also of a body that breaks off, so that another request can go on from there.
   */
  async blob(limit: number, kept: Blob[] = []): Promise<Blob> {
    let pieces: Uint8Array<ArrayBuffer>[] = [];
    let [length, pending] = [0, 0];
    const keep = (): void => {
      if (pending > 0) kept.push(new Blob(pieces));
      [pieces, pending] = [[], 0];
    };
    try {
      for await (const piece of this.parts()) {
        pieces.push(piece);
        length += piece.length;
        pending += piece.length;
        if (length > limit) break;
        if (pending >= blockBytes) keep();
      }
    } finally {
      keep();
    }
    return new Blob(kept);
  }

  /** Bytes of the body by the server's header: those of its compressed form, if it is compressed. */
  get told(): number | undefined {
    const text = this.last("content-length");
    return text === undefined ? undefined : Number(text);
  }

  /** The body of a file that a server sends whole. @throws EngineError `io` if it is endless or too large. */
  async wholeFile(where: string): Promise<Blob> {
    const limit = Math.max(maxUntold, this.told ?? 0);
    const content = limit > maxWhole ? undefined : await this.blob(limit);
    if (content !== undefined && content.size <= limit) return content;
    await this.discard();
    throw new EngineError("io", "the server sends no parts of a file, and this one is too large to be kept whole", {
      where,
      expected: `at most ${maxWhole} bytes, or ${maxUntold} where the server tells no size`,
      actual: content === undefined ? `${limit} bytes` : "more",
      fix: "use a server that knows the header Range (`npx http-server` does, `python -m http.server` does not)",
    });
  }

  /** Drops the rest of a broken or unwanted answer: unread, it would keep its connection open. */
  async discard(): Promise<void> {
    this.#watch.stop();
    await this.#response.body?.cancel().catch(() => undefined);
    this.#watch.abort();
  }
}

/**
 * Asks a server and follows its redirections.
 * @throws TransientFault if it cannot be reached or does not answer; EngineError `io` for a redirection to nowhere.
 */
export async function request(url: URL, options: RequestOptions): Promise<HttpAnswer> {
  const headers: Headers[] = [];
  let target = url;
  for (let hop = 0; hop <= maxRedirects; hop++) {
    checkAborted(options.signal);
    const watch = new Watchdog(options);
    const authorization = target.origin === url.origin ? options.authorization : undefined;
    const response = await askOnce(target, { ...options, authorization }, watch);
    headers.push(response.headers);
    const answer = new HttpAnswer(response, target, headers, watch);
    const location = response.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return answer;
    await answer.discard();
    // The redirection describes a large file; its storage server may not even allow HEAD.
    if (options.method === "HEAD" && response.headers.has("x-linked-etag")) return answer;
    target = resolve(location, target);
  }
  throw new EngineError("io", `more than ${maxRedirects} redirections`, { where: shownAddress(url) });
}

async function askOnce(url: URL, options: RequestOptions, watch: Watchdog): Promise<Response> {
  const { method, authorization, isPage = false } = options;
  const headers = {
    ...options.headers,
    ...(authorization === undefined ? {} : { Authorization: authorization }),
    // Sizes and ranges count the bytes of the file, not those of its compressed form. A page must not set it.
    ...(isPage ? {} : { "Accept-Encoding": "identity" }),
  };
  try {
    return await fetch(url, { method, headers, redirect: isPage ? "follow" : "manual", signal: watch.signal });
  } catch (cause) {
    watch.stop();
    throw watch.fault(url, "cannot be reached", cause, true);
  }
}

function resolve(location: string, base: URL): URL {
  const isAddress = URL.canParse(location, base) && /^https?:$/.test(new URL(location, base).protocol);
  if (isAddress) return splitCredentials(new URL(location, base)).url;
  const actual = location.replace(/[?#].*/s, "");
  throw new EngineError("io", "redirects to an invalid address", { where: shownAddress(base), actual });
}

/** Aborts a request when too little has come for a while, or at the caller's signal. */
class Watchdog {
  readonly #controller = new AbortController();
  readonly #options: NetworkOptions;
  readonly #forget: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Bytes since the timer was set: a server that sends one byte now and then would block a reader for ever. */
  #count = 0;
  #isLate = false;

  constructor(options: NetworkOptions) {
    this.#options = options;
    this.#forget = onAbort(options.signal, () => this.abort());
    this.#start();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  progress(bytes: number): void {
    this.#count += bytes;
    if (this.#count >= leastProgress) this.#start();
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#count = 0;
    this.#timer = setTimeout(() => {
      this.#isLate = true;
      this.abort();
    }, this.#options.patience ?? defaultPatience);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#forget();
  }

  abort(): void {
    this.#controller.abort();
  }

  /** The error for a failure of fetch. @param isFirst no header of an answer has come yet. */
  fault(url: URL, message: string, cause: unknown, isFirst = false): Error {
    const { signal, adviseOffline, patience = defaultPatience } = this.#options;
    if (signal?.aborted)
      return new EngineError("aborted", "the download was stopped", { where: url.origin, cause: signal.reason });
    const reason = this.#isLate ? `too little came for ${patience / 1000} s` : reasonOf(cause);
    const isOffline = isFirst && (this.#isLate || !isBroken(cause));
    const advice = isOffline ? adviseOffline?.(url) : undefined;
    const details = { where: url.origin, fix: advice ?? "check the network and try again", cause };
    return new TransientFault(new EngineError("io", `${message}: ${reason}`, details), { isOffline });
  }
}

const brokenCodes: ReadonlySet<unknown> = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "UND_ERR_SOCKET"]);

/** Whether a server was there and broke off: Node has a code for it, Deno words, a page nothing. */
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
