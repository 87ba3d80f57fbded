import { EngineError } from "../engine/errors.ts";
import type { HubOptions, PushOptions } from "./hub/options.ts";
import type { FileStore } from "./stores/file_store.ts";

/** How the runtime around the library reaches files. */
export interface FileHost {
  /** In a page every path is an address that is fetched. */
  readonly isPage: boolean;
  /** The checkpoint at a path or URL, or of a repository on the hub (`owner/name`), which `options` describe. */
  openStore(location: string, options?: HubOptions): Promise<FileStore>;
  /** Writes a whole file, or leaves the old one. A page has none. @throws EngineError `io`. */
  writeFile?(path: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * Uploads the files that `save` writes into a folder to a repository on the hub. A page has none.
   * @returns the address of the commit.
   */
  push?(save: (folder: string) => Promise<void>, options: PushOptions): Promise<string>;
  /** Makes a folder and the missing ones above it. A page has none. @throws EngineError `io`. */
  makeFolder?(path: string): Promise<void>;
}

let current: FileHost | undefined;

/** Makes `host` the one that files are opened by: checkpoint/node and checkpoint/web call it when imported. */
export function setFileHost(host: FileHost): void {
  current = host;
}

/** @throws EngineError `internal` where no host was set. */
export function getFileHost(): FileHost {
  if (current === undefined)
    throw new EngineError("internal", "files have no host", {
      fix: 'import "checkpoint/node/index.ts" (Node, Deno) or "checkpoint/web/index.ts" (browser) first',
    });
  return current;
}
