import { setFileHost } from "../host.ts";
import { nodeFileHost } from "./host.ts";

export { nodeFileHost } from "./host.ts";

// Importing this module gives checkpoints the files of Node or Deno.
setFileHost(nodeFileHost);
