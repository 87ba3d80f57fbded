import { setGpuHost } from "../device/host.ts";
import { nodeGpuHost } from "./host.ts";

export type { AdapterDescription } from "./adapters.ts";
export { openNullAdapter } from "./adapters.ts";
export { listAdapters, nodeGpuHost } from "./host.ts";

// Importing this module gives the engine the adapters of Node or Deno.
setGpuHost(nodeGpuHost);
