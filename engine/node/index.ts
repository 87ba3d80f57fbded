import { setPlatform } from "../host.ts";
import { nodePlatform } from "./host.ts";

export type { AdapterDescription } from "./adapters.ts";
export { openNullAdapter } from "./adapters.ts";
export { listAdapters, nodePlatform } from "./host.ts";

// Importing this module selects Node's or Deno's platform.
setPlatform(nodePlatform);
