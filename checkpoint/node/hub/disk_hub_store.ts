import { stat } from "node:fs/promises";
import type { ByteSource } from "../../sources/byte_source.ts";
import { EngineError } from "../../../engine/errors.ts";
import type { FileStore } from "../../stores/file_store.ts";
import { HubClient, type HubFile } from "../../hub/client.ts";
import { requireNetwork, type HubOptions } from "../../hub/options.ts";
import { HubProgress } from "../../hub/progress.ts";
import { innerPath, type Repository } from "../../hub/repository.ts";
import type { RetryPolicy } from "../../hub/retry.ts";
import { Memo } from "../../../engine/memo.ts";
import { FileSource } from "../file_source.ts";
import { HubCache } from "./cache.ts";
import { downloadBlob } from "./download.ts";
import { withLock } from "./lock.ts";

export interface CachedHubOptions extends HubOptions {
  cacheDir: string;
  retries?: RetryPolicy;
}

/**
 * The files of a repository on the hub. An opened file comes from the cache on disk, or is fetched to it whole; others are
 * not fetched. Once the commit is known, cached files need no network.
 */
export class DiskHubStore implements FileStore {
  readonly #repository: Repository;
  readonly #client: HubClient;
  readonly #cache: HubCache;
  readonly #progress: HubProgress;
  readonly #options: CachedHubOptions;
  /** Pending and finished fetches by the path of the file. */
  readonly #located = new Memo<string, string | undefined>();
  /** Pending fetches by hash: two files may have the same content. */
  readonly #fetching = new Map<string, Promise<void>>();
  /** Only the cache may be used. */
  readonly #isOffline: boolean;
  /** The hub did not answer, and a commit that is cached stands in. */
  #isFallback = false;

  constructor(repository: Repository, options: CachedHubOptions) {
    this.#repository = repository;
    this.#options = options;
    this.#client = new HubClient(repository, options);
    this.#cache = new HubCache(options.cacheDir, repository.id);
    this.#progress = new HubProgress(repository.id, options.onEvent);
    this.#isOffline = options.localFilesOnly === true;
    requireNetwork(options, this.#isOffline);
  }

  /** Its name; it says so if files outside the cache count as missing. */
  get name(): string {
    return this.#isOffline || this.#isFallback ? `${this.#repository.id} (cached files only)` : this.#repository.id;
  }

  /**
   * @throws EngineError `bad-input` if the hub refuses the repository, or if it is not in the cache and only that may be
   * used; `io` if the hub cannot be reached, or the disk fails; `aborted`.
   */
  async open(file: string): Promise<ByteSource | undefined> {
    const path = innerPath(this.name, file);
    const found = await this.#located.get(path, () => this.#locate(path));
    return found === undefined ? undefined : await FileSource.open(found);
  }

  async #locate(path: string): Promise<string | undefined> {
    this.#progress.begin(path);
    const { commit } = this.#client;
    if (commit !== undefined && !this.#isForced) {
      const cached = await this.#fromCache(commit, path);
      if (cached !== undefined || (await this.#cache.isKnownAbsent(commit, path))) return cached;
    }
    if (this.#isOffline) return await this.#locateOffline(path);
    return await this.#locateOnline(path);
  }

  /** Every file is fetched once in the life of this store, whatever is cached. */
  get #isForced(): boolean {
    return this.#options.forceDownload === true;
  }

  /** Asks the hub; if it does not answer, goes on with the cache, if that has the commit. */
  async #locateOnline(path: string): Promise<string | undefined> {
    const standIn = await this.#standIn();
    const isCached = standIn !== undefined && (await this.#cache.find(standIn, path)) !== undefined;
    const { firstWait, tries } = this.#client.retries;
    let file: HubFile | undefined;
    try {
      file = await this.#client.find(path, { firstWait, tries: isCached ? 1 : this.#isFallback ? 2 : tries });
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== "io") throw error;
      if (standIn !== undefined) this.#fallBack(error, standIn);
      if (!this.#isFallback) throw this.#explain(error);
      return await this.#fromCache(this.#client.commit!, path);
    }
    return await this.#keep(path, file);
  }

  /** The cached commit that stands in until the hub names one. */
  async #standIn(): Promise<string | undefined> {
    if (this.#client.commit !== undefined || this.#isForced) return undefined;
    const commit = await this.#cache.commitOf(this.#repository.revision);
    return commit !== undefined && (await this.#cache.hasSnapshot(commit)) ? commit : undefined;
  }

  #fallBack(error: EngineError, commit: string): void {
    this.#isFallback = true;
    this.#client.pin(commit);
    this.#options.onNotice?.(`${error.message.split(";")[0]}; ${this.#repository.id} is taken from the cache`);
  }

  /** Notes the hub's answer, and fetches the content if it is not cached. */
  async #keep(path: string, file: HubFile | undefined): Promise<string | undefined> {
    const { commit } = this.#client;
    if (commit === undefined) return undefined;
    await this.#cache.note(this.#repository.revision, commit);
    if (file === undefined) {
      await this.#cache.noteAbsent(commit, path);
      return undefined;
    }
    const cached = this.#isForced ? undefined : await this.#fromCache(commit, path);
    if (cached !== undefined) return cached;
    let fetched = this.#fetching.get(file.etag);
    if (fetched === undefined) {
      fetched = this.#fetch(file).finally(() => this.#fetching.delete(file.etag));
      this.#fetching.set(file.etag, fetched);
    }
    await fetched.catch((error: unknown) => {
      throw this.#explainDisk(error);
    });
    this.#progress.done(path);
    return await this.#cache.link(commit, path, file.etag);
  }

  async #fetch(file: HubFile): Promise<void> {
    const { path, etag, size } = file;
    const blob = this.#cache.blob(etag);
    const isDone = async (): Promise<boolean> => !this.#isForced && (await sizeOf(blob)) === size;
    if (await isDone()) return;
    let isStarted = false;
    const onBytes = (count: number): void => {
      if (isStarted) this.#progress.advance(path, count);
      else this.#progress.start(path, count, size);
      isStarted = true;
    };
    const onWait = (): void => this.#options.onNotice?.(`${path} is being fetched already; waiting for that`);
    await withLock(this.#cache.lock(etag), { isDone, onWait, signal: this.#options.signal }, () =>
      downloadBlob(this.#client, file, blob, onBytes),
    );
  }

  async #fromCache(commit: string, path: string): Promise<string | undefined> {
    const cached = await this.#cache.find(commit, path);
    if (cached === undefined) return undefined;
    const size = (await sizeOf(cached)) ?? 0;
    this.#progress.start(path, size, size);
    this.#progress.done(path);
    return cached;
  }

  /** A file outside the cache counts as missing from the repository: offline, nobody can know. */
  async #locateOffline(path: string): Promise<string | undefined> {
    const { id, revision, aside } = this.#repository;
    const commit = await this.#cache.commitOf(revision);
    if (commit !== undefined && (await this.#cache.hasSnapshot(commit))) return await this.#fromCache(commit, path);
    const also = aside === undefined ? "" : `${aside}, and `;
    throw new EngineError(
      "bad-input",
      `${also}revision ${revision} is not in the cache, and only the cache may be used`,
      {
        where: id,
        expected: `files in ${this.#cache.root}`,
        actual: "none",
        fix: "load it once with network access (without HF_HUB_OFFLINE and local_files_only)",
      },
    );
  }

  /** Adds to a failure of the disk that it is the cache's, and how to move the cache. */
  #explainDisk(error: unknown): unknown {
    if (!(error instanceof EngineError) || !error.where?.startsWith(this.#cache.root)) return error;
    const isFull = /^(ENOSPC|EDQUOT)$/.test(String((error.cause as NodeJS.ErrnoException | undefined)?.code));
    return new EngineError("io", `the hub's cache cannot keep the file: ${error.problem}`, {
      where: error.where,
      fix: isFull
        ? "make room, or move the cache (HF_HOME or HF_HUB_CACHE), then try again: the download goes on from there"
        : "make its folder writable, or put the cache elsewhere: HF_HOME or HF_HUB_CACHE",
      cause: error.cause,
    });
  }

  #explain(error: EngineError): EngineError {
    if (!error.problem.startsWith("cannot be reached")) return error;
    const { id, endpoint, aside } = this.#repository;
    const also = aside === undefined ? "" : `${aside}; `;
    return new EngineError("io", `${also}the hub ${error.problem}, and it is not in the cache`, {
      where: id,
      actual: `no answer from ${endpoint}`,
      fix: `${error.fix}, or check HF_ENDPOINT; once fetched it works offline`,
      cause: error,
    });
  }
}

async function sizeOf(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.size;
}
