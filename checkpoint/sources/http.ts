import { shownAddress } from "../address.ts";
import type { ByteSource } from "./byte_source.ts";
import { EngineError } from "../../engine/errors.ts";
import { Memo } from "../../engine/memo.ts";
import { htmlPage, placeholderBytes, refusePlaceholder } from "./placeholder.ts";
import { maxUntold, request, type HttpAnswer, type NetworkOptions } from "../hub/request.ts";
import { defaultRetries, TransientFault, withRetries, type RetryPolicy } from "../hub/retry.ts";
import { BlobSource, checkRange } from "./memory.ts";

/** Bytes fetched and kept at opening: they show what the file is, and small files need no more. */
const headBytes = 4096;

export interface HttpOptions extends NetworkOptions {
  /** The header of that name, for the origin of the address alone. */
  authorization?: string | undefined;
  retries?: RetryPolicy | undefined;
  /** Called for an HTML page in place of a file: servers of one-page apps send it for missing files. */
  onPage?: () => void;
}

/**
 * Opens an address for reads by range; undefined if the server has no such file, or sends an HTML page in its place. If
 * the server ignores `Range`, the whole body is kept as a Blob.
 * @throws EngineError `io` if it cannot be reached, refuses or sends what was not asked for; `aborted`.
 */
export async function openHttpSource(url: URL, options: HttpOptions = {}): Promise<ByteSource | undefined> {
  const name = shownAddress(url);
  return await retrying(options, async () => {
    const answer = await ask(url, options, [0, headBytes]);
    if (answer === undefined) return undefined;
    const { content, size } = await beginningOf(answer, name);
    const start = new Uint8Array(await content.slice(0, placeholderBytes).arrayBuffer());
    if (isPage(answer, new TextDecoder().decode(start))) return void options.onPage?.();
    refusePlaceholder(name, start);
    if (content.size === size) return new BlobSource(name, content);
    return new HttpSource(url, { head: content, size, hasRanges: answer.status === 206 }, options);
  });
}

interface Found {
  /** The beginning of the file. */
  head: Blob;
  size: number;
  /** Whether the server sends parts of it. */
  hasRanges: boolean;
}

class HttpSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #url: URL;
  readonly #found: Found;
  readonly #options: HttpOptions;
  /** The whole body, from a server without ranges, once something is read. */
  readonly #whole = new Memo<"whole", Blob>();

  constructor(url: URL, found: Found, options: HttpOptions) {
    this.name = shownAddress(url);
    this.size = found.size;
    this.#url = url;
    this.#found = found;
    this.#options = options;
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(this, offset, length);
    return new Uint8Array(await (await this.#part(offset, length)).arrayBuffer());
  }

  async #part(offset: number, length: number): Promise<Blob> {
    const { head, hasRanges } = this.#found;
    const end = offset + length;
    if (length === 0 || end <= head.size) return head.slice(offset, end);
    if (hasRanges) return await retrying(this.#options, () => this.#fetch(offset, length), true);
    const whole = await this.#whole.get("whole", () => retrying(this.#options, () => this.#fetchWhole(), true));
    return whole.slice(offset, end);
  }

  async close(): Promise<void> {
    return Promise.resolve();
  }

  async #fetch(offset: number, length: number): Promise<Blob> {
    const answer = await ask(this.#url, this.#options, [offset, length]);
    const range = `bytes ${offset}-${offset + length - 1}/${this.size}`;
    const found = answer?.last("content-range");
    // A server answers 200, 404 or 416 if the file has changed, gone or shrunk since it was opened.
    if (answer?.status !== 206 || found !== range) {
      await answer?.discard();
      throw unfit(this.name, "another part of the file than asked for, or the file has changed", {
        expected: range,
        actual: found ?? `status ${answer?.status ?? 404}`,
      });
    }
    return requireSize(this.name, await answer.blob(length), length);
  }

  async #fetchWhole(): Promise<Blob> {
    const answer = await ask(this.#url, this.#options);
    const content = await answer?.wholeFile(this.name);
    return requireSize(this.name, content ?? new Blob([]), this.size);
  }
}

/** Repeats `work` after transient faults. Where nothing answers at all, only an open file is worth more tries. */
async function retrying<T>(options: HttpOptions, work: () => Promise<T>, isOpen = false): Promise<T> {
  const attempt = async (): Promise<T> =>
    await work().catch((fault: unknown) => {
      throw fault instanceof TransientFault && fault.isOffline && !isOpen ? fault.error : fault;
    });
  return await withRetries(attempt, options.retries ?? defaultRetries, options.signal);
}

/** An answer of status 200, 206 or 416, or undefined for a missing file. */
async function ask(
  url: URL,
  options: HttpOptions,
  range?: readonly [offset: number, length: number],
): Promise<HttpAnswer | undefined> {
  const headers: Record<string, string> =
    range === undefined ? {} : { Range: `bytes=${range[0]}-${range[0] + range[1] - 1}` };
  const answer = await request(url, { method: "GET", patience: options.retries?.patience, ...options, headers });
  const { status } = answer;
  if (status === 200 || status === 206 || status === 416) return answer;
  await answer.discard();
  if (status === 404 || status === 410) return undefined;
  const error = new EngineError("io", `HTTP status ${status} ${answer.statusText}`.trimEnd(), {
    where: shownAddress(url),
    ...(status === 401 ? { fix: "give user and password in the address: https://USER:PASSWORD@…" } : {}),
  });
  const isTransient = status === 408 || status === 429 || status >= 500;
  throw isTransient ? new TransientFault(error, { wait: answer.retryAfter }) : error;
}

/** The beginning of a file (all of it from a server without ranges), and the size of the whole. */
async function beginningOf(answer: HttpAnswer, where: string): Promise<{ content: Blob; size: number }> {
  const { status, told = 0 } = answer;
  if (status === 200) {
    // A large file waits: it is not known yet whether anybody wants it.
    const content = await (told > maxUntold ? answer.blob(headBytes) : answer.wholeFile(where));
    return { content, size: Math.max(content.size, told > maxUntold ? told : 0) };
  }
  // An empty file has no byte 0.
  if (status === 416) await answer.discard();
  if (status === 416) return { content: new Blob([]), size: 0 };
  const range = answer.last("content-range") ?? "";
  const [, last, total] = /^bytes 0-(\d{1,15})\/(\d{1,15})$/.exec(range) ?? [];
  const size = Number(total);
  const length = Math.min(headBytes, size);
  if (total !== undefined && Number(last) === length - 1)
    return { content: requireSize(where, await answer.blob(length), length), size };
  await answer.discard();
  const expected = `Content-Range: bytes 0-${headBytes - 1}/SIZE`;
  throw new EngineError("io", "the server does not tell the size of the file, or sends another part of it", {
    where,
    expected,
    actual: range,
  });
}

/** @throws TransientFault for a body that ended early, EngineError `io` for one that is too long. */
function requireSize(where: string, content: Blob, length: number): Blob {
  if (content.size === length) return content;
  const isLong = content.size > length;
  const actual = isLong ? "more" : content.size;
  const error = unfit(where, "another number of bytes than asked for", { expected: length, actual });
  throw isLong ? error : new TransientFault(error);
}

function isPage(answer: HttpAnswer, start: string): boolean {
  return answer.last("content-type")?.startsWith("text/html") === true || htmlPage.test(start);
}

function unfit(where: string, message: string, found: { expected: unknown; actual: unknown }): EngineError {
  return new EngineError("io", `the server sent ${message}`, { where, ...found, fix: "open it again" });
}
