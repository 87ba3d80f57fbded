import type { FileStore } from "../engine/file_store.ts";

/** A store that can tell which files it has. */
interface ListableStore extends FileStore {
  list(): Promise<readonly string[]>;
}

/** Names of the files of a store, or nothing if it cannot tell. */
export async function listFiles(store: FileStore): Promise<readonly string[]> {
  return "list" in store ? await (store as ListableStore).list() : [];
}
