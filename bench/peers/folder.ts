import { fileURLToPath } from "node:url";

/** Where peers are installed; git ignores it. */
export const peersFolder = fileURLToPath(new URL("../../.cache/peers", import.meta.url));
