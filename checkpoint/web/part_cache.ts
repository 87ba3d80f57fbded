/** Keeps parts of files between visits. Storage that is full or forbidden costs the saving, never the load. */
export interface PartCache {
  get(url: string, part: string): Promise<Blob | undefined>;
  put(url: string, part: string, content: Blob): Promise<void>;
}

/**
 * Parts in the browser's Cache API, which cannot hold gigabytes in one entry nor answer a range of one: each part is an
 * entry, under the file's address with `?part=…`.
 */
export class CacheApiParts implements PartCache {
  readonly #name: string;
  readonly #onNotice: ((line: string) => void) | undefined;
  readonly #storage: CacheStorage | undefined;
  #cache: Promise<Cache | undefined> | undefined;
  #isFull = false;

  /** @param storage of the page; absent without https, and in some private windows. */
  constructor(name: string, onNotice?: (line: string) => void, storage: CacheStorage | undefined = globalThis.caches) {
    this.#name = name;
    this.#onNotice = onNotice;
    this.#storage = storage;
  }

  async get(url: string, part: string): Promise<Blob | undefined> {
    const cache = await this.#open();
    const found = await cache?.match(keyOf(url, part)).catch(() => undefined);
    return await found?.blob().catch(() => undefined);
  }

  async put(url: string, part: string, content: Blob): Promise<void> {
    const cache = await this.#open();
    if (cache === undefined || this.#isFull) return;
    try {
      await cache.put(keyOf(url, part), new Response(content));
    } catch (error) {
      this.#giveUp(error);
    }
  }

  async #open(): Promise<Cache | undefined> {
    const open = async (): Promise<Cache> => {
      if (this.#storage === undefined) throw new Error("this page has no storage for them");
      return await this.#storage.open(this.#name);
    };
    this.#cache ??= open().catch((error: unknown) => this.#giveUp(error));
    return await this.#cache;
  }

  /** Reports once and stops storing; parts already in the cache stay in use. */
  #giveUp(error: unknown): undefined {
    if (this.#isFull) return;
    this.#isFull = true;
    this.#onNotice?.(
      `the browser does not store the weights (${(error as Error).message}): they are fetched each time`,
    );
  }
}

function keyOf(url: string, part: string): string {
  return `${url}?part=${encodeURIComponent(part)}`;
}
