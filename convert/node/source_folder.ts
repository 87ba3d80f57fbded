import { readdir } from "node:fs/promises";
import { DirectoryStore } from "../../engine/node/directory_store.ts";

/** A folder that tells which files it has: the hash in the name of suno's `encodec_24khz-*.th` is not always the same. */
export class SourceFolder extends DirectoryStore {
  async list(): Promise<string[]> {
    return await readdir(this.name);
  }
}
