import type { ByteSource } from "../sources/byte_source.ts";
import { EngineError } from "../../engine/errors.ts";
import type { HubClient } from "../hub/client.ts";
import type { HubProgress } from "../hub/progress.ts";
import type { HttpAnswer } from "../hub/request.ts";
import { TransientFault, withRetries } from "../hub/retry.ts";
import { placeholderBytes, refusePlaceholder } from "../sources/placeholder.ts";
import type { PartCache } from "./part_cache.ts";
import { checkRange } from "../sources/memory.ts";

export interface HubSourceOptions {
  client: HubClient;
  /** Address of the file at a commit: its content never changes. */
  url: string;
  path: string;
  parts: PartCache;
  partBytes: number;
  progress: HubProgress;
  /** Only what is in the cache. */
  isOffline: boolean;
}

/** A file on the hub, fetched by range in parts of `partBytes`, each of which is kept in a cache. */
export class HubSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #options: HubSourceOptions;
  /** The last part: many tensors lie side by side in one part. */
  #last: { index: number; content: Blob };
  /** Bytes that have been fetched or found, for the progress. */
  #loaded = 0;
  readonly #seen = new Set<number>();

  private constructor(options: HubSourceOptions, size: number, first: Blob) {
    this.#options = options;
    this.name = options.url;
    this.size = size;
    this.#last = { index: 0, content: first };
    options.progress.start(options.path, 0, size);
    this.#count(0, first);
  }

  /** Undefined if the repository has no such file. @throws EngineError as {@link HubClient.find}. */
  static async open(options: HubSourceOptions): Promise<HubSource | undefined> {
    const { parts, url, path, progress, isOffline } = options;
    progress.begin(path);
    const size = Number((await (await parts.get(url, "size"))?.text()) ?? NaN);
    const cached = Number.isInteger(size) ? await parts.get(url, partName(options, 0)) : undefined;
    if (cached?.size === Math.min(size, options.partBytes)) return new HubSource(options, size, cached);
    if (isOffline) return undefined;
    const found = await fetchPart(options, 0, undefined);
    if (found === undefined) return undefined;
    await parts.put(url, "size", new Blob([`${found.size}`]));
    return new HubSource(options, found.size, found.content);
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(this, offset, length);
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const index = Math.floor((offset + done) / this.#options.partBytes);
      const begin = offset + done - index * this.#options.partBytes;
      const part = await this.#part(index);
      const wanted = part.slice(begin, begin + length - done);
      bytes.set(new Uint8Array(await wanted.arrayBuffer()), done);
      done += wanted.size;
    }
    return bytes;
  }

  async close(): Promise<void> {
    return Promise.resolve();
  }

  async #part(index: number): Promise<Blob> {
    if (this.#last.index === index) return this.#last.content;
    const { parts, url, isOffline } = this.#options;
    const expected = Math.min(this.#options.partBytes, this.size - index * this.#options.partBytes);
    let content = await parts.get(url, partName(this.#options, index));
    if (content?.size !== expected) content = isOffline ? this.#absent() : await this.#fetch(index);
    this.#last = { index, content };
    this.#count(index, content);
    return content;
  }

  async #fetch(index: number): Promise<Blob> {
    const found = await fetchPart(this.#options, index, this.size);
    if (found !== undefined) return found.content;
    throw new EngineError("io", "the file has gone while it was read", { where: this.name, fix: "load it again" });
  }

  #absent(): never {
    throw new EngineError("bad-input", "a part of the file is not in the browser's cache", {
      where: this.name,
      fix: "load it with network access and without local_files_only",
    });
  }

  #count(index: number, content: Blob): void {
    const { progress, path } = this.#options;
    if (this.#seen.has(index)) return;
    this.#seen.add(index);
    this.#loaded += content.size;
    progress.advance(path, this.#loaded);
    if (this.#loaded === this.size) progress.done(path);
  }
}

function partName({ partBytes }: HubSourceOptions, index: number): string {
  return `${partBytes}-${index}`;
}

/**
 * Fetches a part and keeps it. Where the connection breaks, the next try goes on behind what came: a file at a commit never
 * changes. Undefined for a missing file; `size` is the whole file's, where known.
 */
async function fetchPart(
  options: HubSourceOptions,
  index: number,
  size: number | undefined,
): Promise<{ content: Blob; size: number } | undefined> {
  const { client, url, path, partBytes, parts } = options;
  const part = new PartialPart(
    url,
    index * partBytes,
    Math.min(partBytes, (size ?? Infinity) - index * partBytes),
    size,
  );
  let furthest = 0;
  const found = await withRetries(
    async (progressed) => {
      if (part.found !== undefined) return part.found;
      try {
        const answer = await client.get(url, path, part.missing);
        return answer && (await part.take(answer));
      } finally {
        if (part.received > furthest) progressed();
        furthest = Math.max(furthest, part.received);
      }
    },
    client.retries,
    client.signal,
  );
  if (found === undefined) return undefined;
  if (index === 0) refusePlaceholder(url, new Uint8Array(await found.content.slice(0, placeholderBytes).arrayBuffer()));
  await parts.put(url, partName(options, index), found.content);
  return found;
}

/** A part of a file while it comes, in one answer or more. */
class PartialPart {
  readonly #url: string;
  readonly #first: number;
  readonly #most: number;
  readonly #size: number | undefined;
  readonly #kept: Blob[] = [];
  /** Of the file, by the last answer. */
  #told: number | undefined;

  /** @param first byte of the part. @param most bytes of it. @param size of the file, where known. */
  constructor(url: string, first: number, most: number, size: number | undefined) {
    this.#url = url;
    this.#first = first;
    this.#most = most;
    this.#size = size;
  }

  get received(): number {
    return this.#kept.reduce((sum, { size }) => sum + size, 0);
  }

  /** All of it, where the connection broke behind its last byte. */
  get found(): { content: Blob; size: number } | undefined {
    const size = this.#told;
    const isWhole = size !== undefined && this.received === Math.min(this.#most, size - this.#first);
    return isWhole ? { content: new Blob(this.#kept), size } : undefined;
  }

  /** The range to ask for. */
  get missing(): string {
    return `bytes=${this.#first + this.received}-${this.#first + this.#most - 1}`;
  }

  /** @returns the part, and the size of the file. @throws TransientFault where the answer breaks off, or is another part. */
  async take(answer: HttpAnswer): Promise<{ content: Blob; size: number }> {
    if (answer.status === 206) return await this.#append(answer);
    if (answer.status === 200) {
      this.#kept.length = 0;
      const whole = await answer.wholeFile(this.#url);
      return this.#checked(whole.slice(this.#first, this.#first + this.#most), whole.size);
    }
    await answer.discard();
    // An empty file has no byte 0.
    if (this.#first === 0 && this.received === 0) return { content: new Blob([]), size: 0 };
    return this.#checked(new Blob([]), NaN);
  }

  async #append(answer: HttpAnswer): Promise<{ content: Blob; size: number }> {
    const range = answer.last("content-range") ?? "";
    const [, first, total] = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15})$/.exec(range) ?? [];
    const isNext = Number(first) === this.#first + this.received;
    if (!isNext) {
      this.#kept.length = 0;
      await answer.discard();
      return this.#checked(new Blob([]), Number(total));
    }
    this.#told = Number(total);
    return this.#checked(await answer.blob(this.#most - this.received, this.#kept), this.#told);
  }

  #checked(content: Blob, size: number): { content: Blob; size: number } {
    const expected = Math.min(this.#most, size - this.#first);
    if (content.size === expected && (this.#size ?? size) === size) return { content, size };
    // What broke off can go on; of what is wrong, nothing is kept.
    if (!(content.size < expected)) this.#kept.length = 0;
    const last = this.#first + this.#most - 1;
    throw new TransientFault(
      new EngineError("io", "the server sent another part of the file than asked for, or the file ended early", {
        where: this.#url,
        expected: `bytes ${this.#first}-${last}/${this.#size ?? "?"}`,
        actual: `${content.size} bytes of ${size}`,
        fix: "load it again",
      }),
    );
  }
}
