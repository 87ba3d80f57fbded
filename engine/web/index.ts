import { EngineError } from "../errors.ts";
import type { FileStore } from "../file_store.ts";
import type { HubOptions } from "../hub/options.ts";
import { parseRepository } from "../hub/repository.ts";
import { setPlatform, type Platform } from "../platform.ts";
import { HttpStore } from "../stores/http.ts";
import { HubStore } from "../stores/hub.ts";
import { openNavigatorAdapter } from "./navigator_gpu.ts";
import { CacheApiParts } from "./part_cache.ts";

const noAdapterFix =
  "use a browser with WebGPU (Chrome or Edge 113, Safari 26, Firefox 141 or later) and switch on hardware acceleration";

/** The engine in a browser page: `fetch` and `navigator.gpu`. Importing this module selects it. */
export const webPlatform: Platform = {
  runtime: "browser",
  openAdapter: (request) => openNavigatorAdapter(request, noAdapterFix),
  async readText(url) {
    const response = await fetch(url);
    if (!response.ok)
      throw new EngineError("io", `cannot be fetched: HTTP status ${response.status}`, {
        where: url.href,
        fix: "serve the package's files beside its modules",
      });
    return await response.text();
  },
  openStore: async (location, options = {}) => openPageStore(location, options),
};

/** `owner/name` is a repository on the hub; the address of a folder begins with `https://`, `/`, `./` or `../`. */
function openPageStore(location: string, options: HubOptions): FileStore {
  const repository = parseRepository(location, options);
  if (repository === undefined) return new HttpStore(new URL(location, globalThis.location.href).href);
  const parts = new CacheApiParts(options.cacheDir ?? "bark-webgpu", options.onNotice);
  return new HubStore(repository, { ...options, parts });
}

setPlatform(webPlatform);
