import { EngineError } from "../errors.ts";

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

/** What the engine needs from the runtime around it. */
export interface GpuHost {
  readonly runtime: Runtime;
  openAdapter(request: AdapterRequest): Promise<OpenedAdapter>;
  /** Versions of ops that the user forces from outside the program. @throws EngineError `usage`. */
  versions?(): ForcedVersions | undefined;
  /** Waits for work of the GPU; needed where a plain `await` keeps the processor busy. */
  wait?<T>(work: Promise<T>): Promise<T>;
  /** Text of a file that ships with the package (a shader), by the URL of the module beside it. */
  readText(url: URL): Promise<string>;
}

let current: GpuHost | undefined;

/** Makes `host` the one that the engine uses: engine/node and engine/web call it when imported. */
export function setGpuHost(host: GpuHost): void {
  current = host;
}

/** @throws EngineError `internal` where no host was set. */
export function getGpuHost(): GpuHost {
  if (current === undefined)
    throw new EngineError("internal", "the engine has no host", {
      fix: 'import "engine/node/index.ts" (Node, Deno) or "engine/web/index.ts" (browser) first',
    });
  return current;
}
