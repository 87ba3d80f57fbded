import type { ByteSource } from "../sources/byte_source.ts";
import { EngineError } from "../../engine/errors.ts";
import type { FileStore } from "../stores/file_store.ts";
import { HubClient } from "../hub/client.ts";
import { requireNetwork, type HubOptions } from "../hub/options.ts";
import { HubProgress } from "../hub/progress.ts";
import { fileUrl, innerPath, isCommitHash, type Repository } from "../hub/repository.ts";
import type { RetryPolicy } from "../hub/retry.ts";
import { cleanToken } from "../hub/token.ts";
import { Memo } from "../../engine/memo.ts";
import { FreshParts } from "./fresh_parts.ts";
import type { PartCache } from "./part_cache.ts";
import { HubSource } from "./page_hub_source.ts";

export interface HubStoreOptions extends HubOptions {
  parts: PartCache;
  retries?: RetryPolicy;
  /** Default 32 MiB. Some browsers refuse entries of 256 MB, and one part is in memory at a time. */
  partBytes?: number;
}

const defaultPartBytes = 32 << 20;

/** The files of a repository on the hub, for a page: read by range, in parts that the browser keeps. */
export class PageHubStore implements FileStore {
  readonly name: string;
  readonly #repository: Repository;
  readonly #options: HubStoreOptions;
  readonly #client: HubClient;
  readonly #progress: HubProgress;
  readonly #commit = new Memo<string, string>();
  #isOffline: boolean;

  constructor(repository: Repository, options: HubStoreOptions) {
    this.name = repository.id;
    this.#repository = repository;
    requireNetwork(options, options.localFilesOnly === true);
    this.#options = options.forceDownload === true ? { ...options, parts: new FreshParts(options.parts) } : options;
    const token = options.token === false ? false : cleanToken(options.token, "token");
    this.#client = new HubClient(repository, { ...options, token, isPage: true });
    this.#progress = new HubProgress(repository.id, options.onEvent);
    this.#isOffline = options.localFilesOnly === true;
  }

  /** @throws EngineError `bad-input` if the hub refuses the repository, `io` if it cannot be reached; `aborted`. */
  async open(file: string): Promise<ByteSource | undefined> {
    const path = innerPath(this.name, file);
    const commit = await this.#commit.get(this.#repository.revision, () => this.#findCommit());
    return await HubSource.open({
      client: this.#client,
      url: fileUrl(this.#repository, commit, path),
      path,
      parts: this.#options.parts,
      partBytes: this.#options.partBytes ?? defaultPartBytes,
      progress: this.#progress,
      isOffline: this.#isOffline,
    });
  }

  /** A commit's files never change, so parts of them can be kept for ever. */
  async #findCommit(): Promise<string> {
    const { revision, id } = this.#repository;
    if (isCommitHash(revision)) return revision;
    const url = fileUrl(this.#repository, revision, "");
    const cached = await (await this.#options.parts.get(url, "commit"))?.text();
    if (!this.#isOffline) {
      const commit = await this.#askCommit(cached !== undefined);
      if (commit !== undefined) {
        await this.#options.parts.put(url, "commit", new Blob([commit]));
        return commit;
      }
    }
    if (cached !== undefined) return cached;
    throw new EngineError("bad-input", `revision ${revision} is not in the browser's cache`, {
      where: id,
      fix: "load it once with network access and without local_files_only",
    });
  }

  /** Undefined if the hub does not answer and the cache has a commit. */
  async #askCommit(canServe: boolean): Promise<string | undefined> {
    try {
      // Every Bark has a config.json, and the hub answers for it itself; the storage of large files knows no commits.
      return await this.#client.findCommit("config.json", canServe ? { tries: 1, firstWait: 0 } : undefined);
    } catch (error) {
      if (!canServe || !(error instanceof EngineError) || error.code !== "io") throw error;
      this.#isOffline = true;
      this.#options.onNotice?.(`${error.message.split(";")[0]}; ${this.name} is taken from the browser's cache`);
      return undefined;
    }
  }
}
