import { shownAddress } from "../address.ts";
import type { ByteSource } from "../byte_source.ts";
import { EngineError } from "../errors.ts";
import { htmlPage, placeholderBytes, refusePlaceholder } from "../placeholder.ts";
import { request, type HttpAnswer, type NetworkOptions } from "../hub/request.ts";
import { defaultRetries, TransientFault, withRetries, type RetryPolicy } from "../hub/retry.ts";
import { BlobSource, checkRange } from "./memory.ts";

/** So much of a file is fetched when it is opened, and kept: it tells what the file is, and small files need no more. */
const headBytes = 4096;

export interface HttpOptions extends NetworkOptions {
  /** The header of that name, for the origin of the address alone. */
  authorization?: string | undefined;
  retries?: RetryPolicy | undefined;
  /** Told of an HTML page that stands in place of a file: servers of one-page apps send it for what they do not have. */
  onPage?: () => void;
}

/**
 * Opens an address for reads by range; undefined if the server has no such file, or sends an HTML page in its place. Of a
 * server that ignores `Range` the whole body is kept as a Blob.
 * @throws EngineError `io` if it cannot be reached, refuses or sends what was not asked for; `aborted`.
 */
export async function openHttpSource(url: URL, options: HttpOptions = {}): Promise<ByteSource | undefined> {
  const name = shownAddress(url);
  return await retrying(options, async () => {
    const answer = await ask(url, options, [0, headBytes]);
    if (answer === undefined) return undefined;
    const [content, size] = await contentOf(answer, name);
    const start = new Uint8Array(await content.slice(0, placeholderBytes).arrayBuffer());
    if (isPage(answer, new TextDecoder().decode(start))) return void options.onPage?.();
    refusePlaceholder(name, start);
    return content.size === size ? new BlobSource(name, content) : new HttpSource(url, size, content, options);
  });
}

/** The text of a small file, such as a shader; undefined as for {@link openHttpSource}. @throws EngineError likewise. */
export async function fetchText(url: URL, options: HttpOptions = {}): Promise<string | undefined> {
  return await retrying(options, async () => {
    const answer = await ask(url, options);
    if (answer === undefined) return undefined;
    const text = await (await answer.wholeFile(shownAddress(url))).text();
    return isPage(answer, text) ? undefined : text;
  });
}

class HttpSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #url: URL;
  readonly #head: Blob;
  readonly #options: HttpOptions;

  constructor(url: URL, size: number, head: Blob, options: HttpOptions) {
    this.name = shownAddress(url);
    this.size = size;
    this.#url = url;
    this.#head = head;
    this.#options = options;
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(this, offset, length);
    const end = offset + length;
    const content =
      length === 0 || end <= this.#head.size
        ? this.#head.slice(offset, end)
        : await retrying(this.#options, () => this.#fetch(offset, length), true);
    return new Uint8Array(await content.arrayBuffer());
  }

  async close(): Promise<void> {
    return Promise.resolve();
  }

  async #fetch(offset: number, length: number): Promise<Blob> {
    const answer = await ask(this.#url, this.#options, [offset, length]);
    const range = `bytes ${offset}-${offset + length - 1}/${this.size}`;
    const found = answer?.last("content-range");
    // 200, 404 and 416 are what a server says of a file that has changed, gone or shrunk since it was opened.
    if (answer?.status !== 206 || found !== range) {
      await answer?.discard();
      throw unfit(this.name, "another part of the file than asked for, or the file has changed", {
        expected: range,
        actual: found ?? `status ${answer?.status ?? 404}`,
      });
    }
    const content = await answer.blob(length);
    if (content.size === length) return content;
    const error = unfit(this.name, "another number of bytes than asked for", {
      expected: length,
      actual: content.size > length ? "more" : content.size,
    });
    throw content.size > length ? error : new TransientFault(error);
  }
}

/** Does `work` until no transient fault stops it. Where nothing answers at all, a file that `isOpen` is worth more tries. */
async function retrying<T>(options: HttpOptions, work: () => Promise<T>, isOpen = false): Promise<T> {
  const attempt = async (): Promise<T> =>
    await work().catch((fault: unknown) => {
      throw fault instanceof TransientFault && fault.isOffline && !isOpen ? fault.error : fault;
    });
  return await withRetries(attempt, options.retries ?? defaultRetries, options.signal);
}

/** An answer of status 200, 206 or 416, or undefined for a file that is not there. */
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

/** The beginning of a file, or all of it where the server sends no less, and the size of the whole. */
async function contentOf(answer: HttpAnswer, where: string): Promise<[content: Blob, size: number]> {
  if (answer.status === 200) {
    const content = await answer.wholeFile(where);
    return [content, content.size];
  }
  if (answer.status === 416) await answer.discard();
  // An empty file has no byte 0.
  if (answer.status === 416) return [new Blob([]), 0];
  const range = answer.last("content-range") ?? "";
  const content = await answer.blob(headBytes);
  const [, end, size] = /^bytes 0-(\d+)\/(\d+)$/.exec(range) ?? [];
  if (size === undefined)
    throw new EngineError("io", "the server does not tell the size of the file", {
      where,
      expected: "Content-Range: bytes 0-N/SIZE",
      actual: range,
    });
  if (content.size === Number(end) + 1 && content.size === Math.min(headBytes, Number(size)))
    return [content, Number(size)];
  const actual = `${content.size} bytes of ${range}`;
  throw new TransientFault(unfit(where, "another part of the file than asked for", { expected: "its start", actual }));
}

function isPage(answer: HttpAnswer, start: string): boolean {
  return answer.last("content-type")?.startsWith("text/html") === true || htmlPage.test(start);
}

function unfit(where: string, message: string, found: { expected: unknown; actual: unknown }): EngineError {
  return new EngineError("io", `the server sent ${message}`, { where, ...found, fix: "open it again" });
}
