import { createHash, type Hash } from "node:crypto";
import { constants } from "node:fs";
import { open, rename, stat, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { EngineError } from "../../../engine/errors.ts";
import type { HubClient, HubFile } from "../../hub/client.ts";
import { normalize } from "../../hub/client.ts";
import type { HttpAnswer } from "../../hub/request.ts";
import { TransientFault, withRetries } from "../../hub/retry.ts";
import { makeFolder, writeError } from "../atomic_file.ts";

const readBlock = 1 << 20;

/**
 * Fetches the content of a file to `blob`: it appends to `blob.incomplete` and renames that when size and hash are right.
 * Whatever stops it, the part that has come stays for the next time.
 * @param onBytes gets the number of bytes so far.
 * @throws EngineError `io` if the disk or the network fails or the file is not what the hub says; `aborted`.
 */
export async function downloadBlob(
  client: HubClient,
  file: HubFile,
  blob: string,
  onBytes: (count: number) => void,
): Promise<void> {
  const incomplete = `${blob}.incomplete`;
  await makeFolder(path.dirname(blob));
  // Not in append mode: two writers that both begin at byte n must not write the same bytes twice.
  const handle = await guard(incomplete, () => open(incomplete, constants.O_RDWR | constants.O_CREAT));
  try {
    const download = new Download(client, file, handle, incomplete, onBytes);
    await download.resume();
    const wasResumed = download.count > 0;
    await download.run();
    // The fault may lie in the part from an earlier run.
    if (!download.isRight() && wasResumed) {
      await download.restart();
      await download.run();
    }
    if (!download.isRight()) {
      await download.restart();
      throw new EngineError("io", "what came is not the file that the hub describes: its hash differs", {
        where: `${client.repository.id}/${file.path}`,
        expected: file.etag,
        actual: download.digest,
        fix: "try again; if it stays so, the file on the hub is damaged",
      });
    }
    await guard(incomplete, () => handle.sync());
  } finally {
    await handle.close();
  }
  await guard(blob, () => rename(incomplete, blob)).catch(async (error: unknown) => {
    // Another process with the same download was faster.
    if ((await stat(blob).catch(() => undefined))?.size !== file.size) throw error;
  });
}

class Download {
  /** Bytes on disk and in the hash. */
  count = 0;
  digest = "";
  readonly #client: HubClient;
  readonly #file: HubFile;
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #onBytes: (count: number) => void;
  #hash: Hash | undefined;
  #url: string;
  /** The error if the commit has lost the file. */
  #change: EngineError | undefined;
  /** ETag of the storage server: it shows a change that the hub's own ETag does not. */
  #serverEtag: string | undefined;

  constructor(client: HubClient, file: HubFile, handle: FileHandle, path: string, onBytes: (count: number) => void) {
    this.#client = client;
    this.#file = file;
    this.#handle = handle;
    this.#path = path;
    this.#onBytes = onBytes;
    this.#hash = hashFor(file);
    this.#url = file.url;
  }

  /** Takes over the part from an earlier run, if it can be the beginning of the file. */
  async resume(): Promise<void> {
    const { size } = await guard(this.#path, () => this.#handle.stat());
    if (size > this.#file.size) await this.restart();
    else await this.#rehash(size);
  }

  async restart(): Promise<void> {
    await guard(this.#path, () => this.#handle.truncate(0));
    this.count = 0;
    this.#hash = hashFor(this.#file);
    this.#serverEtag = undefined;
  }

  /** Fetches what is missing. */
  async run(): Promise<void> {
    const { retries, signal } = this.#client;
    this.#onBytes(this.count);
    await withRetries(
      async (progressed) => {
        if (this.count < this.#file.size) await this.#fetch(progressed);
      },
      retries,
      signal,
    );
  }

  isRight(): boolean {
    if (this.#hash === undefined) return true;
    this.digest = this.#hash.copy().digest("hex");
    return this.digest === this.#file.etag;
  }

  async #fetch(progressed: () => void): Promise<void> {
    const { path, size } = this.#file;
    const range = `bytes=${this.count}-${size - 1}`;
    const answer = await this.#client.get(this.#url, path, range).catch((error: unknown) => {
      throw this.#change ?? error;
    });
    if (answer === undefined) throw this.#change ?? this.#changed("none");
    try {
      this.#checkUnchanged(answer);
      // A server that ignores ranges sends all of it again.
      let skip = answer.status === 200 ? this.count : 0;
      for await (const part of answer.parts()) {
        const wanted = part.subarray(Math.min(skip, part.length), skip + size - this.count);
        skip = Math.max(0, skip - part.length);
        await this.#append(wanted);
        if (wanted.length > 0) progressed();
        if (this.count === size) return;
      }
    } finally {
      await answer.discard();
    }
    throw new TransientFault(
      new EngineError("io", "the file ended early", {
        where: this.#url,
        expected: `${size} bytes`,
        actual: `${this.count}`,
        fix: "try again: it goes on from there",
      }),
    );
  }

  /**
   * @throws TransientFault if the answer is not a part of the file that was asked for and the commit may still have it:
   * somebody pushed to the branch; EngineError `io` if it has not.
   */
  #checkUnchanged(answer: HttpAnswer): void {
    const { etag, size, pinnedUrl } = this.#file;
    const linked = normalize(answer.first("x-linked-etag"));
    const server = normalize(answer.last("etag"));
    const total =
      answer.status === 200 ? answer.last("content-length") : answer.last("content-range")?.split("/").at(-1);
    const begin = answer.status === 206 ? answer.last("content-range")?.split("-")[0] : `bytes ${this.count}`;
    const isSame =
      answer.status !== 416 &&
      (linked ?? etag) === etag &&
      (this.#serverEtag ?? server) === server &&
      (total ?? `${size}`) === `${size}` &&
      begin === `bytes ${this.count}`;
    this.#serverEtag = server;
    if (isSame) return;
    const error = this.#changed(`${total ?? "?"} bytes, ETag ${linked ?? server ?? "none"}`);
    if (this.#url === pinnedUrl) throw error;
    this.#url = pinnedUrl;
    this.#change = error;
    this.#serverEtag = undefined;
    throw new TransientFault(error, { wait: 0 });
  }

  #changed(actual: string): EngineError {
    return new EngineError("io", "the file has changed while it was fetched", {
      where: this.#url,
      expected: `${this.#file.size} bytes, ETag ${this.#file.etag}`,
      actual,
      fix: "load it again",
    });
  }

  async #append(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await guard(this.#path, () =>
        this.#handle.write(bytes, done, bytes.length - done, this.count + done),
      );
      done += bytesWritten;
    }
    this.#hash?.update(bytes);
    this.count += bytes.length;
    this.#onBytes(this.count);
  }

  async #rehash(size: number): Promise<void> {
    const block = new Uint8Array(readBlock);
    while (this.count < size) {
      const { bytesRead } = await guard(this.#path, () =>
        this.#handle.read(block, 0, Math.min(readBlock, size - this.count), this.count),
      );
      if (bytesRead === 0) return;
      this.#hash?.update(block.subarray(0, bytesRead));
      this.count += bytesRead;
    }
  }
}

/** The hub's ETag is the sha256 of a large file and git's hash of others. A mirror's may be anything. */
function hashFor({ etag, size }: HubFile): Hash | undefined {
  if (/^[0-9a-f]{64}$/.test(etag)) return createHash("sha256");
  if (/^[0-9a-f]{40}$/.test(etag)) return createHash("sha1").update(`blob ${size}\0`);
  return undefined;
}

async function guard<T>(file: string, work: () => Promise<T>): Promise<T> {
  return await work().catch((error: NodeJS.ErrnoException) => {
    throw writeError(file, error);
  });
}
