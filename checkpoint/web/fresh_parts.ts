import type { PartCache } from "./part_cache.ts";

/** A cache that has nothing from earlier visits, for a download that is forced; what comes now replaces what was there. */
export class FreshParts implements PartCache {
  readonly #parts: PartCache;
  readonly #own = new Set<string>();

  constructor(parts: PartCache) {
    this.#parts = parts;
  }

  async get(url: string, part: string): Promise<Blob | undefined> {
    return this.#own.has(`${url} ${part}`) ? await this.#parts.get(url, part) : undefined;
  }

  async put(url: string, part: string, content: Blob): Promise<void> {
    this.#own.add(`${url} ${part}`);
    await this.#parts.put(url, part, content);
  }
}
