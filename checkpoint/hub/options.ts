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
  /** Fetch every file anew, also one that is in the cache. */
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

/** How files get to a repository on the hub. */
export interface PushOptions extends Pick<HubOptions, "token" | "endpoint" | "signal"> {
  /** `owner/name`, or a name of the user's. */
  repo: string;
  /** Where to save. Default: a temporary folder. */
  folder?: string | undefined;
  commitMessage: string;
  commitDescription?: string | undefined;
  /** Of a repository that is made for it. */
  private?: boolean | undefined;
  /** The branch, which is made if it is missing. Default: `main`. */
  revision?: string | undefined;
  createPr?: boolean | undefined;
}

/** @throws EngineError `usage` where everything is to be fetched and nothing may be. */
export function requireNetwork({ forceDownload }: HubOptions, isOffline: boolean): void {
  if (forceDownload !== true || !isOffline) return;
  throw new EngineError("usage", "nothing can be fetched anew where only the cache may be used", {
    where: "force_download",
    fix: "leave it out, or local_files_only and HF_HUB_OFFLINE",
  });
}

export const defaultEndpoint = "https://huggingface.co";
export const defaultRevision = "main";
