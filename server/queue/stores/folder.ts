import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { makeFolder, withTemporary, writeError, writeFileAtomically } from "../../../checkpoint/node/atomic_file.ts";
import { EngineError } from "../../../engine/errors.ts";
import type { BookStore } from "../../../speech/book/store.ts";

/** File systems without links of a second name, such as exFAT and some network shares. */
const withoutLinks = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];

/** A folder on disk, or one that several machines share. */
export class FolderStore implements BookStore {
  readonly name: string;

  constructor(folder: string) {
    this.name = folder;
  }

  async read(file: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      return new Uint8Array(await readFile(path.join(this.name, file)));
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      if (code === "ENOENT") return undefined;
      const where = path.join(this.name, file);
      throw new EngineError("bad-input", `cannot be read: ${message.split(",")[0]}`, { where, cause });
    }
  }

  async write(file: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    const target = path.join(this.name, file);
    await makeFolder(path.dirname(target));
    await writeFileAtomically(target, content);
  }

  async create(file: string, content: Uint8Array): Promise<boolean> {
    const target = path.join(this.name, file);
    await makeFolder(path.dirname(target));
    return await withTemporary(path.dirname(target), async (temporary) => {
      try {
        await writeFile(temporary, content, { flag: "wx" });
        // Only a link fails where the name is taken, also over NFS; a rename replaces it.
        await link(temporary, target);
        return true;
      } catch (error) {
        const { code = "" } = error as NodeJS.ErrnoException;
        if (code === "EEXIST") return false;
        if (!withoutLinks.includes(code)) throw writeError(target, error as NodeJS.ErrnoException);
        if ((await this.read(file)) !== undefined) return false;
        await rename(temporary, target);
        return true;
      }
    });
  }

  async remove(file: string): Promise<void> {
    await rm(path.join(this.name, file), { force: true, recursive: true });
  }
}
