import { statSync, type Stats } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import type { ByteSource } from "../sources/byte_source.ts";
import { EngineError } from "../../engine/errors.ts";
import type { FileStore } from "../stores/file_store.ts";
import { FileSource } from "./file_source.ts";

/** The files below a folder. */
export class DirectoryStore implements FileStore {
  readonly name: string;

  /** @throws EngineError `bad-input` if there is no such folder. */
  constructor(directory: string) {
    const fail = (message: string, cause?: unknown): EngineError =>
      new EngineError("bad-input", message, {
        where: directory,
        fix: "give the folder of a Bark checkpoint (with config.json in it)",
        cause,
      });
    let stat: Stats | undefined;
    try {
      stat = statSync(directory, { throwIfNoEntry: false });
    } catch (cause) {
      // A file among the folders of the path, a name too long, no permission.
      throw fail(`no such folder: ${(cause as Error).message}`, cause);
    }
    if (!stat?.isDirectory()) throw fail(stat === undefined ? "no such folder" : "is not a folder");
    this.name = directory;
  }

  /** @throws EngineError `bad-input` if the path leaves the folder. */
  async open(file: string): Promise<ByteSource | undefined> {
    const relative = path.normalize(file);
    if (path.isAbsolute(relative) || relative === ".." || relative.startsWith(`..${path.sep}`))
      throw new EngineError("bad-input", "a path leaves the checkpoint's folder", { where: this.name, actual: file });
    return await FileSource.open(path.join(this.name, relative));
  }

  async list(): Promise<readonly string[]> {
    return await readdir(this.name);
  }
}
