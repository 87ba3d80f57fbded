import { EngineError } from "../../engine/errors.ts";

/** Events of a download, in the shapes that transformers.js gives to a `progress_callback`. */
export type HubEvent =
  | { status: "initiate" | "download" | "done"; name: string; file: string }
  /** `progress` in percent, `loaded` and `total` in bytes. */
  | { status: "progress"; name: string; file: string; progress: number; loaded: number; total: number }
  /** Of all files that were asked for so far. */
  | {
      status: "progress_total";
      name: string;
      progress: number;
      loaded: number;
      total: number;
      files: Record<string, { loaded: number; total: number }>;
    };

/** How the files of a repository on the hub are fetched. */
export interface HubOptions {
  /** A branch, a tag or a commit. Default: `main`. */
  revision?: string | undefined;
  /** The folder of all cached repositories, in a page the name of the cache. Default: as in Python's huggingface_hub. */
  cacheDir?: string | undefined;
  /** Take only what is in the cache. */
  localFilesOnly?: boolean | undefined;
  /** Fetch again what is in the cache, once for each store. Not with `localFilesOnly`. */
  forceDownload?: boolean | undefined;
  /** For repositories that are private or gated; false sends none. Default: the user's, where there is one. */
  token?: string | false | undefined;
  /** Address of the hub. Default: https://huggingface.co. */
  endpoint?: string | undefined;
  onEvent?: ((event: HubEvent) => void) | undefined;
  /** Called with one line for the user, such as that the hub cannot be reached and the cache is used. */
  onNotice?: ((line: string) => void) | undefined;
  /** Stops a download; what has come is kept. */
  signal?: AbortSignal | undefined;
  /** Advice for an address that cannot be reached, such as about a proxy. */
  adviseOffline?: ((url: URL) => string | undefined) | undefined;
}

export const defaultEndpoint = "https://huggingface.co";
export const defaultRevision = "main";

/** @throws EngineError `usage` for options that say to fetch and not to fetch, as huggingface_hub refuses them. */
export function refuseForcedOffline({ forceDownload, localFilesOnly }: HubOptions): void {
  if (forceDownload !== true || localFilesOnly !== true) return;
  throw new EngineError("usage", "needs the hub, and only the cache may be used", {
    where: "force_download",
    fix: "leave out force_download, or local_files_only and HF_HUB_OFFLINE",
  });
}
