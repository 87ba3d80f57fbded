import type { ByteSource } from "../byte_source.ts";
import { EngineError } from "../errors.ts";
import { BlobSource, checkRange } from "./memory.ts";

/**
 * Opens a URL for ranged reads; `undefined` if the server says 404. A server that ignores `Range` sends the whole body,
 * which then is kept as a Blob.
 * @throws EngineError `io` for any other refusal.
 */
export async function openHttpSource(url: string): Promise<ByteSource | undefined> {
  const response = await fetchRange(url, 0, 1);
  if (response.status === 404) return undefined;
  // An empty file has no byte 0.
  if (response.status === 416) return new BlobSource(url, new Blob([]));
  if (response.status === 200) return new BlobSource(url, await response.blob());
  const total = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
  await response.body?.cancel();
  if (response.status !== 206 || total === undefined) throw refused(url, response);
  return new HttpSource(url, Number(total));
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
    if (response.status !== 206) throw refused(this.name, response);
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length !== length)
      throw new EngineError("io", "the server sent another number of bytes than asked for", {
        where: this.name,
        expected: length,
        actual: bytes.length,
        fix: "try again",
      });
    return bytes;
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

function refused(url: string, response: Response): EngineError {
  return new EngineError("io", `HTTP status ${response.status} ${response.statusText}`.trimEnd(), { where: url });
}
