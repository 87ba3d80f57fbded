import { EngineError } from "./errors.ts";
import type { FileStore } from "./file_store.ts";
import type { HubOptions } from "./hub/options.ts";

export type Runtime = "node" | "deno" | "browser";

export interface AdapterRequest {
  /** Part of an adapter's name, or `"software"` to force the software adapter. Default: the best there is. */
  device?: string;
}

/** Versions of ops by name. */
export type ForcedVersions = Readonly<Record<string, string>>;

/** An adapter that is ready to give one device (WebGPU adapters are consumed by `requestDevice`). */
export interface OpenedAdapter {
  adapter: GPUAdapter;
  /**
   * The object that made the adapter. It must stay reachable as long as a device lives: with Dawn in Node, collecting
   * it ends the process at random.
   */
  owner: unknown;
  /** A sentence for the user, such as which software adapter stands in for a missing driver. */
  notice?: string;
}

/** What the engine needs from the runtime around it. The default is built from web APIs alone. */
export interface Platform {
  readonly runtime: Runtime;
  openAdapter(request: AdapterRequest): Promise<OpenedAdapter>;
  /** Versions of kernels' ops that the user forces from outside. @throws EngineError `usage`. */
  versions?(): ForcedVersions | undefined;
  /** Waits for work of the GPU, where merely awaiting it would keep the processor busy. */
  wait?<T>(work: Promise<T>): Promise<T>;
  /** Text of a file that ships with the package (a shader), by the URL of the module beside it. */
  readText(url: URL): Promise<string>;
  /** The checkpoint at a path or URL, or of a repository on the hub (`owner/name`), of which `options` tell more. */
  openStore(location: string, options?: HubOptions): Promise<FileStore>;
  /** Writes a whole file, or leaves what was there. A page has none. @throws EngineError `io`. */
  writeFile?(path: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
  /** Makes a folder and those above it where they are missing. A page has none. @throws EngineError `io`. */
  makeFolder?(path: string): Promise<void>;
}

let current: Platform | undefined;

/** Makes `platform` the one that the engine uses; the Node entry calls it when imported. */
export function setPlatform(platform: Platform): void {
  current = platform;
}

export function getPlatform(): Platform {
  if (current === undefined)
    throw new EngineError("internal", "no platform is set", {
      fix: 'import "engine/node/index.ts" (Node, Deno) or "engine/web/index.ts" (browser) first',
    });
  return current;
}
