import type { ByteSource } from "../byte_source.ts";
import { EngineError } from "../errors.ts";
import { BlobSource, checkRange } from "./memory.ts";

/**
 * Opens a URL for ranged reads; `undefined` if the server says 404. A server that ignores `Range` sends the whole body,
 * which then is kept as a Blob.
 * @throws EngineError `io` for any other refusal, and where the connection breaks.
 */
export async function openHttpSource(url: string): Promise<ByteSource | undefined> {
  const response = await fetchRange(url, 0, 1);
  if (response.status === 200) return new BlobSource(url, await body(url, () => response.blob()));
  await discard(response);
  if (response.status === 404) return undefined;
  // An empty file has no byte 0.
  if (response.status === 416) return new BlobSource(url, new Blob([]));
  if (response.status !== 206) throw refused(url, response);
  const total = /\/(\d+)$/.exec(contentRange(response))?.[1];
  if (total !== undefined) return new HttpSource(url, Number(total));
  throw new EngineError("io", "the server does not tell the size of the file", {
    where: url,
    expected: "Content-Range: bytes 0-0/SIZE",
    actual: contentRange(response),
  });
}

class HttpSource implements ByteSource {
  readonly name: string;
  readonly size: number;

  constructor(url: string, size: number) {
    this.name = url;
    this.size = size;
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(this, offset, length);
    if (length === 0) return new Uint8Array(0);
    const response = await fetchRange(this.name, offset, length);
    const range = `bytes ${offset}-${offset + length - 1}/${this.size}`;
    if (response.status !== 206 || contentRange(response) !== range) {
      await discard(response);
      // 200 and 416 are what a server says of a file that has changed or shrunk since it was opened.
      if (![200, 206, 416].includes(response.status)) throw refused(this.name, response);
      throw unfit(this.name, "another part of the file than asked for, or the file has changed", {
        expected: range,
        actual: contentRange(response) || `status ${response.status}`,
      });
    }
    const bytes = new Uint8Array(await body(this.name, () => response.arrayBuffer()));
    if (bytes.length === length) return bytes;
    throw unfit(this.name, "another number of bytes than asked for", { expected: length, actual: bytes.length });
  }

  async close(): Promise<void> {
    return Promise.resolve();
  }
}

async function fetchRange(url: string, offset: number, length: number): Promise<Response> {
  try {
    return await fetch(url, { headers: { Range: `bytes=${offset}-${offset + length - 1}` } });
  } catch (cause) {
    throw new EngineError("io", "cannot be fetched", { where: url, fix: "check the address and the network", cause });
  }
}

/** What is left of a broken or unwanted answer is of no interest; unread, it would hold its connection open. */
async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}

async function body<T>(url: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw new EngineError("io", "the connection broke", { where: url, fix: "try again", cause });
  }
}

function contentRange(response: Response): string {
  return response.headers.get("content-range") ?? "";
}

function unfit(url: string, message: string, found: { expected: unknown; actual: unknown }): EngineError {
  return new EngineError("io", `the server sent ${message}`, { where: url, ...found, fix: "open it again" });
}

function refused(url: string, response: Response): EngineError {
  return new EngineError("io", `HTTP status ${response.status} ${response.statusText}`.trimEnd(), { where: url });
}
