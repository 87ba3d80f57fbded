import { EngineError } from "../../engine/errors.ts";
import type { HubOptions } from "./options.ts";
import { refusal } from "./refusal.ts";
import { fileUrl, isCommitHash, type Repository } from "./repository.ts";
import { request, type HttpAnswer } from "./request.ts";
import { defaultRetries, TransientFault, withRetries, type RetryPolicy } from "./retry.ts";

/** The hub's description of a file. */
export interface HubFile {
  readonly path: string;
  /** Of the content: a sha256 (large files), the hash that git gives to it (others), or what a mirror makes up. */
  readonly etag: string;
  /** In bytes. */
  readonly size: number;
  /** To ask for its content, at the revision that was asked for. */
  readonly url: string;
  /** The same at the commit; mirrors that know branches alone do not have it. */
  readonly pinnedUrl: string;
}

export interface HubClientOptions extends Pick<HubOptions, "token" | "signal" | "adviseOffline"> {
  retries?: RetryPolicy | undefined;
  isPage?: boolean;
}

/**
 * Speaks the protocol of the Hugging Face hub for one repository. All files belong to one commit, the revision's at the
 * first request; later pushes change nothing.
 */
export class HubClient {
  readonly repository: Repository;
  readonly signal: AbortSignal | undefined;
  readonly retries: RetryPolicy;
  readonly #options: HubClientOptions;
  readonly #authorization: string | undefined;
  #commit: string | undefined;

  constructor(repository: Repository, options: HubClientOptions = {}) {
    const { token, signal, retries } = options;
    this.repository = repository;
    this.signal = signal;
    this.retries = retries ?? defaultRetries;
    this.#options = options;
    // As in Python: the user and password of an address win over the token.
    this.#authorization = repository.authorization ?? (token ? `Bearer ${token}` : undefined);
    if (isCommitHash(repository.revision)) this.#commit = repository.revision;
  }

  /** Undefined until the first answer. */
  get commit(): string | undefined {
    return this.#commit;
  }

  /** Takes all files from this commit; for a hub that did not answer. */
  pin(commit: string): void {
    this.#commit ??= commit;
  }

  /**
   * The hub's description of a file, or undefined if the repository has no file of that name.
   * @throws EngineError `io` if the hub cannot be reached or is out of order; `bad-input` if it refuses; `aborted`.
   */
  async find(path: string, retries = this.retries): Promise<HubFile | undefined> {
    return await withRetries(() => this.#findOnce(path), retries, this.signal);
  }

  /** The commit that the revision is at, learnt by asking for a file. @throws EngineError as {@link find}. */
  async findCommit(path: string, retries = this.retries): Promise<string> {
    const { commit } = await withRetries(() => this.#head(path, this.repository.revision), retries, this.signal);
    this.#commit ??= this.#requireName("X-Repo-Commit", commit);
    return this.#commit;
  }

  /**
   * A range of a file's content: status 206, or 200 with all of it, or 416 if there is no such range.
   * Undefined if the repository has no such file. @throws TransientFault; EngineError as {@link find}.
   */
  async get(url: string, path: string, range: string): Promise<HttpAnswer | undefined> {
    const answer = await this.#request("GET", url, { Range: range });
    if (answer.status === 200 || answer.status === 206 || answer.status === 416) return answer;
    await answer.discard();
    if (isAbsent(answer, this.#commit)) return undefined;
    throw refusal(answer, this.repository, path, this.#authorization !== undefined);
  }

  async #findOnce(path: string): Promise<HubFile | undefined> {
    const found = await this.#head(path, this.repository.revision);
    const hasMoved = this.#commit !== undefined && found.commit !== undefined && found.commit !== this.#commit;
    this.#commit ??= found.commit;
    const { commit, url, answer } = hasMoved ? await this.#head(path, this.#commit!) : found;
    if (commit !== undefined && commit !== this.#commit)
      throw new EngineError("io", "the repository changed while it was loaded", {
        where: this.repository.id,
        expected: this.#commit,
        actual: commit,
        fix: "load it again",
      });
    return answer && this.#describe(path, this.#requireName("X-Repo-Commit", commit), url, answer);
  }

  /** Asks for a file at a revision: without an answer if the repository has none of that name. */
  async #head(path: string, revision: string): Promise<{ commit?: string; url: string; answer?: HttpAnswer }> {
    const url = fileUrl(this.repository, revision, path);
    const answer = await this.#request("HEAD", url).catch((fault: unknown) => {
      const isFinal = this.#commit === undefined && fault instanceof TransientFault && fault.isOffline;
      throw isFinal ? fault.error : fault;
    });
    await answer.discard();
    const name = answer.first("x-repo-commit");
    const commit = name === undefined ? {} : { commit: this.#requireName("X-Repo-Commit", name) };
    if (isAbsent(answer, this.#commit)) return { ...commit, url };
    const isFound = answer.status === 200 || (answer.status >= 300 && answer.status < 400);
    if (!isFound) throw refusal(answer, this.repository, path, this.#authorization !== undefined);
    return { ...commit, url, answer };
  }

  #describe(path: string, commit: string, url: string, answer: HttpAnswer): HubFile {
    const etag = normalize(answer.first("x-linked-etag") ?? answer.last("etag"));
    const size = answer.first("x-linked-size") ?? (answer.status === 200 ? answer.last("content-length") : undefined);
    if (size === undefined || !/^\d{1,15}$/.test(size)) throw this.#alien("Content-Length", size);
    const pinnedUrl = fileUrl(this.repository, commit, path);
    return { path, etag: this.#requireName("ETag", etag), size: Number(size), url, pinnedUrl };
  }

  /** Both become names of files in the cache. */
  #requireName(header: string, value: string | undefined): string {
    if (value !== undefined && /^\w[\w.+=-]{0,199}$/.test(value)) return value;
    throw this.#alien(header, value);
  }

  #alien(header: string, actual: string | undefined): EngineError {
    return new EngineError("io", `does not answer as a Hugging Face hub does: wrong header ${header}`, {
      where: this.repository.endpoint,
      actual: actual ?? "none",
      fix: "check HF_ENDPOINT, and that no proxy or sign-in page stands between",
    });
  }

  async #request(method: "HEAD" | "GET", url: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    const { signal, adviseOffline, isPage, retries } = this.#options;
    const settings = { signal, adviseOffline, isPage, patience: retries?.patience };
    return await request(new URL(url), { method, headers, authorization: this.#authorization, ...settings });
  }
}

/** Whether the hub says that the file is missing, rather than the repository. */
function isAbsent(answer: HttpAnswer, commit: string | undefined): boolean {
  if (answer.status !== 404) return false;
  const code = answer.last("x-error-code");
  if (code !== undefined) return code === "EntryNotFound";
  return commit !== undefined || answer.first("x-repo-commit") !== undefined;
}

/** `"abc"` or `W/"abc"` to `abc`. */
export function normalize(etag: string | undefined): string | undefined {
  return etag?.replace(/^W\//, "").replace(/^"(.*)"$/, "$1");
}
