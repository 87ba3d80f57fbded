import { EngineError } from "../../engine/errors.ts";
import { setFileHost, type FileHost } from "../host.ts";
import type { HubOptions } from "../hub/options.ts";
import { parseRepository } from "../hub/repository.ts";
import type { FileStore } from "../stores/file_store.ts";
import { HttpStore } from "../stores/http.ts";

/** Files in a browser page: `fetch`. Importing this module selects it. */
export const webFileHost: FileHost = {
  isPage: true,
  openStore: async (location, options = {}) => await openPageStore(location, options),
};

/** `owner/name` is a repository on the hub; the address of a folder begins with `https://`, `/`, `./` or `../`. */
async function openPageStore(location: string, options: HubOptions): Promise<FileStore> {
  const repository = parseRepository(location, options);
  if (repository === undefined) return await openFolder(wholeAddress(location), options);
  // Loaded here: a page that serves its checkpoint itself fetches code for nothing.
  const { PageHubStore } = await import("./page_hub_store.ts");
  const { CacheApiParts } = await import("./part_cache.ts");
  const parts = new CacheApiParts(options.cacheDir ?? "bark-webgpu", options.onNotice);
  return new PageHubStore(repository, { ...options, parts });
}

async function openFolder(address: string, options: HubOptions): Promise<FileStore> {
  if (!/^[\w-]+-extension:/.test(address)) return new HttpStore(address, { ...options, isPage: true });
  const { ExtensionStore } = await import("./extension_store.ts");
  return new ExtensionStore(address, options.signal);
}

function wholeAddress(location: string): string {
  const base = globalThis.location.href;
  if (URL.canParse(location, base)) return new URL(location, base).href;
  if (!base.startsWith("blob:")) return location;
  throw new EngineError("usage", "a relative address means nothing in a worker that was made of a Blob", {
    where: location,
    fix: "give the whole address, which the page makes: new URL(location, document.baseURI).href",
  });
}

setFileHost(webFileHost);
