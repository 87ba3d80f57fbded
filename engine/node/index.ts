import { setPlatform } from "../platform.ts";
import { nodePlatform } from "./platform.ts";

export type { AdapterDescription } from "./adapters.ts";
export { openNullAdapter } from "./adapters.ts";
export { listAdapters, nodePlatform } from "./platform.ts";

// Importing this module selects Node's or Deno's platform.
setPlatform(nodePlatform);
