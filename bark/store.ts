import { HuggingFaceView } from "../convert/hugging_face_view.ts";
import type { FileStore } from "../engine/file_store.ts";
import { getPlatform } from "../engine/platform.ts";

/** Where a checkpoint is: a directory, URL or hub id (opened by the platform), or an opened store. */
export type CheckpointSource = string | FileStore;

/** In Hugging Face layout, also where the files are suno's own. */
export async function openCheckpoint(source: CheckpointSource): Promise<FileStore> {
  if (source instanceof HuggingFaceView) return source;
  return new HuggingFaceView(typeof source === "string" ? await getPlatform().openStore(source) : source);
}
