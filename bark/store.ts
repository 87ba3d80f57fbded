import type { FileStore } from "../engine/file_store.ts";
import { getPlatform } from "../engine/platform.ts";

/** Where a checkpoint is: a directory, URL or hub id (opened by the platform), or an opened store. */
export type CheckpointSource = string | FileStore;

export async function openCheckpoint(source: CheckpointSource): Promise<FileStore> {
  return typeof source === "string" ? await getPlatform().openStore(source) : source;
}
