import { statSync } from "node:fs";
import path from "node:path";
import type { ByteSource } from "../byte_source.ts";
import { EngineError } from "../errors.ts";
import type { FileStore } from "../file_store.ts";
import { FileSource } from "./file_source.ts";

/** The files below a folder. */
export class DirectoryStore implements FileStore {
  readonly name: string;

  /** @throws EngineError `bad-input` if there is no such folder. */
  constructor(directory: string) {
    const stat = statSync(directory, { throwIfNoEntry: false });
    if (!stat?.isDirectory())
      throw new EngineError("bad-input", stat === undefined ? "no such folder" : "is not a folder", {
        where: directory,
        fix: "give the folder of a Bark checkpoint (with config.json in it)",
      });
    this.name = directory;
  }

  /** @throws EngineError `bad-input` if the path leaves the folder. */
  async open(file: string): Promise<ByteSource | undefined> {
    const relative = path.normalize(file);
    if (path.isAbsolute(relative) || relative === ".." || relative.startsWith(`..${path.sep}`))
      throw new EngineError("bad-input", "a path leaves the checkpoint's folder", { where: this.name, actual: file });
    return await FileSource.open(path.join(this.name, relative));
  }
}
