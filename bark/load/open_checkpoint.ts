import { HuggingFaceView } from "../../checkpoint/suno/hugging_face_view.ts";
import { SubfolderStore } from "../../checkpoint/stores/subfolder.ts";
import { EngineError, withoutSecrets } from "../../engine/errors.ts";
import type { FileStore } from "../../checkpoint/stores/file_store.ts";
import { getFileHost } from "../../checkpoint/host.ts";
import type { CheckpointArguments } from "./load_arguments.ts";
import { openNano } from "./nano.ts";

/**
 * Where a checkpoint is: a directory, a URL (of a directory, too: `file:`), a repository on the hub (`owner/name`, or
 * `owner/name@revision`), or an opened store. A directory wins over a repository of the same name. `"nano"` is always the
 * checkpoint of the package bark-webgpu-nano; a directory of that name is `"./nano"`.
 */
export type CheckpointSource = string | URL | FileStore;

/**
 * In Hugging Face layout, also where the files are suno's own.
 * @throws EngineError `bad-input`, `io`, `aborted`; `usage` for what names no checkpoint.
 */
export async function openCheckpoint(source: CheckpointSource, options: CheckpointArguments = {}): Promise<FileStore> {
  if (source instanceof HuggingFaceView) return source;
  const store = await openStore(source, options);
  return new HuggingFaceView(options.subfolder === undefined ? store : new SubfolderStore(store, options.subfolder));
}

async function openStore(source: CheckpointSource, options: CheckpointArguments): Promise<FileStore> {
  const location = source instanceof URL ? source.href : source;
  if (typeof location !== "string" && typeof (location as FileStore | null | undefined)?.open === "function")
    return location;
  if (typeof location !== "string" || location.trim() === "")
    throw new EngineError("usage", "names no checkpoint", {
      where: "model",
      expected: '"nano", a folder, a URL, owner/name of a repository on the hub, or an opened store',
      actual: location,
      fix: 'give it first, as in from_pretrained("suno/bark-small")',
    });
  const { revision, cache_dir, local_files_only, force_download, token, endpoint } = options;
  const { progress_callback, onNotice, signal } = options;
  const settings = {
    revision,
    cacheDir: cache_dir,
    localFilesOnly: local_files_only,
    forceDownload: force_download,
    token,
    endpoint,
    onEvent: progress_callback,
    onNotice,
    signal,
  };
  return location === "nano" ? await openNano(settings) : await getFileHost().openStore(location, settings);
}

/** What a checkpoint is called, as it may be shown. */
export function nameOf(source: CheckpointSource): string {
  return typeof source === "string" || source instanceof URL ? withoutSecrets(String(source)) : source.name;
}
