import type { Machine } from "../measure/machine.ts";
import type { PeerResult } from "./compare.ts";
import type { Work } from "./work.ts";

/** What `bench peers --json` prints. */
export interface PeersReport {
  readonly command: "peers";
  readonly args: readonly string[];
  readonly machine: Machine;
  readonly works: readonly { readonly work: Work; readonly results: readonly PeerResult[] }[];
}
