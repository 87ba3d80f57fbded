import { setGpuHost, type GpuHost } from "../device/host.ts";
import { fetchText } from "./fetch_text.ts";
import { openNavigatorAdapter } from "./navigator_gpu.ts";
import { packedShaders, shadersLater } from "./packed_shaders.ts";

// `adapter.info` is the youngest of what the engine needs: Chrome has it from 127 on.
const noAdapterFix =
  "use a browser with WebGPU (Chrome or Edge 127, Safari 26, Firefox 141 or later) and switch on hardware acceleration";

/** The engine in a browser page: `navigator.gpu`. Importing this module selects it. */
export const webGpuHost: GpuHost = {
  runtime: "browser",
  openAdapter: (request) => openNavigatorAdapter(request, noAdapterFix),
  readText: async (url) => packedShaders[url.href] ?? (await textOfPart(url)) ?? (await fetchText(url)),
};

async function textOfPart({ href }: URL): Promise<string | undefined> {
  const load = shadersLater.find(([address]) => address.test(href))?.[1];
  return (await load?.())?.texts[href];
}

setGpuHost(webGpuHost);
