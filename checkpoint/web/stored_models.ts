/** A repository of the hub whose files, or parts of them, a browser keeps. */
export interface StoredModel {
  /** `owner/name` */
  readonly id: string;
  readonly bytes: number;
}

const inRepository = /^https?:\/\/[^/]+\/([^/]+\/[^/]+)\/resolve\//;

/**
 * What earlier loads left in the browser's cache, the largest first.
 * @param name of the cache: `cache_dir` of the load. @param storage of the page; without any, nothing is kept.
 */
export async function storedModels(
  name = "bark-webgpu",
  storage: CacheStorage | undefined = globalThis.caches,
): Promise<StoredModel[]> {
  const bytes = new Map<string, number>();
  if ((await storage?.has(name)) !== true) return [];
  const cache = await storage.open(name);
  for (const request of await cache.keys()) {
    const id = idOf(request);
    const content = id === undefined ? undefined : await (await cache.match(request))?.blob();
    if (id !== undefined) bytes.set(id, (bytes.get(id) ?? 0) + (content?.size ?? 0));
  }
  return [...bytes].map(([id, size]) => ({ id, bytes: size })).sort((a, b) => b.bytes - a.bytes);
}

/** Deletes all that is kept of a repository. A model that is loaded goes on. */
export async function deleteStoredModel(
  id: string,
  name = "bark-webgpu",
  storage: CacheStorage | undefined = globalThis.caches,
): Promise<void> {
  if (storage === undefined) return;
  const cache = await storage.open(name);
  for (const request of await cache.keys()) if (idOf(request) === id) await cache.delete(request);
}

function idOf({ url }: Request): string | undefined {
  const id = inRepository.exec(url)?.[1];
  return id === undefined ? undefined : decodeURIComponent(id);
}
