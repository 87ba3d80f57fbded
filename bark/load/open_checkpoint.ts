import { HuggingFaceView } from "../../checkpoint/suno/hugging_face_view.ts";
import { EngineError, withoutSecrets } from "../../engine/errors.ts";
import type { FileStore } from "../../checkpoint/stores/file_store.ts";
import type { HubEvent } from "../../checkpoint/hub/options.ts";
import { getFileHost } from "../../checkpoint/host.ts";
import { openAddresses } from "../../checkpoint/open_addresses.ts";
import type { CheckpointArguments } from "./load_arguments.ts";
import { nanoFiles } from "./nano.ts";

/**
 * Where a checkpoint is: a directory, a URL (of a directory, too: `file:`), a repository on the hub (`owner/name`, or
 * `owner/name@revision`), or an opened store. A directory of that name goes before a repository. `"nano"` is always the
 * checkpoint of the package bark-webgpu-nano; a directory of that name is `"./nano"`.
 */
export type CheckpointSource = string | URL | FileStore;

/** What transformers.js gives to a `progress_callback`. */
export type ProgressInfo = HubEvent | { status: "ready"; task: "text-to-speech"; model: string };

/** How a checkpoint on the hub is fetched; of others nothing of this is used. Names as in transformers. */
export interface CheckpointOptions {
  /** A branch, a tag or a commit. Default: `main`. */
  revision?: string | null;
  /** The folder of all cached repositories, in a page the name of the cache. Default: as in Python's huggingface_hub. */
  cache_dir?: string | null;
  /** Take only what is in the cache. Default: false, or what HF_HUB_OFFLINE says. */
  local_files_only?: boolean | null;
  /** For private and gated repositories; false sends none. Default, and true: HF_TOKEN, or what `hf auth login` left. */
  token?: string | boolean | null;
  /** Address of the hub. Default: HF_ENDPOINT, or https://huggingface.co. */
  endpoint?: string | null;
  /** Told how far each file is. */
  progress_callback?: ((info: ProgressInfo) => void) | null;
  /** Called with one line for the user, such as that the hub cannot be reached or a software adapter stands in. */
  onNotice?: ((line: string) => void) | null;
  /** Stops loading; what has been downloaded is kept. */
  signal?: AbortSignal | null;
}

/**
 * In Hugging Face layout, also where the files are suno's own.
 * @throws EngineError `bad-input`, `io`, `aborted`; `usage` for what names no checkpoint.
 */
export async function openCheckpoint(source: CheckpointSource, options: CheckpointArguments = {}): Promise<FileStore> {
  if (source instanceof HuggingFaceView) return source;
  const location = source instanceof URL ? source.href : source;
  if (typeof location !== "string" && typeof (location as FileStore | null | undefined)?.open === "function")
    return new HuggingFaceView(location);
  if (typeof location !== "string" || location.trim() === "")
    throw new EngineError("usage", "names no checkpoint", {
      where: "model",
      expected: '"nano", a folder, a URL, owner/name of a repository on the hub, or an opened store',
      actual: location,
      fix: 'give it first, as in from_pretrained("suno/bark-small")',
    });
  const { revision, cache_dir, local_files_only, token, endpoint, progress_callback, onNotice, signal } = options;
  const settings = {
    revision,
    cacheDir: cache_dir,
    localFilesOnly: local_files_only,
    token,
    endpoint,
    onEvent: progress_callback,
    onNotice,
    signal,
  };
  const store =
    location === "nano"
      ? await openAddresses("nano", await nanoFiles(), settings)
      : await getFileHost().openStore(location, settings);
  return new HuggingFaceView(store);
}

/** What a checkpoint is called, as it may be shown. */
export function nameOf(source: CheckpointSource): string {
  return typeof source === "string" || source instanceof URL ? withoutSecrets(String(source)) : source.name;
}
