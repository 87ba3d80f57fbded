import { shownAddress } from "../../checkpoint/address.ts";
import { EngineError } from "../errors.ts";
import type { FileStore } from "../../checkpoint/stores/file_store.ts";
import type { HubOptions } from "../../checkpoint/hub/options.ts";
import { parseRepository } from "../../checkpoint/hub/repository.ts";
import { setPlatform, type Platform } from "../host.ts";
import { fetchText } from "../../checkpoint/sources/http.ts";
import { HttpStore } from "../../checkpoint/stores/http.ts";
import { HubStore } from "../../checkpoint/web/page_hub_store.ts";
import { openNavigatorAdapter } from "./navigator_gpu.ts";
import { CacheApiParts } from "../../checkpoint/web/part_cache.ts";

// `adapter.info` is the youngest of what the engine needs: Chrome has it from 127 on.
const noAdapterFix =
  "use a browser with WebGPU (Chrome or Edge 127, Safari 26, Firefox 141 or later) and switch on hardware acceleration";

/** The engine in a browser page: `fetch` and `navigator.gpu`. Importing this module selects it. */
export const webPlatform: Platform = {
  runtime: "browser",
  openAdapter: (request) => openNavigatorAdapter(request, noAdapterFix),
  async readText(url) {
    const text = await fetchText(url, { isPage: true });
    if (text !== undefined) return text;
    throw new EngineError("io", "the server does not have it", {
      where: shownAddress(url),
      fix: "serve the package's files beside its modules",
    });
  },
  openStore: async (location, options = {}) => openPageStore(location, options),
};

/** `owner/name` is a repository on the hub; the address of a folder begins with `https://`, `/`, `./` or `../`. */
function openPageStore(location: string, options: HubOptions): FileStore {
  const repository = parseRepository(location, options);
  if (repository === undefined) return new HttpStore(wholeAddress(location), { ...options, isPage: true });
  const parts = new CacheApiParts(options.cacheDir ?? "bark-webgpu", options.onNotice);
  return new HubStore(repository, { ...options, parts });
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

setPlatform(webPlatform);
