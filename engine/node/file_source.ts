import { open, type FileHandle } from "node:fs/promises";
import type { ByteSource } from "../byte_source.ts";
import { EngineError } from "../errors.ts";
import { checkRange } from "../sources/memory.ts";

/** A file on disk. `fs.openAsBlob` is wrong above 4 GiB and `readFile` refuses 2 GiB, so ranges go through a handle. */
export class FileSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #handle: FileHandle;

  private constructor(name: string, size: number, handle: FileHandle) {
    this.name = name;
    this.size = size;
    this.#handle = handle;
  }

  /** Opens a file, or gives `undefined` if there is none. @throws EngineError `bad-input` if it cannot be read. */
  static async open(path: string): Promise<FileSource | undefined> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(path, "r");
      const stat = await handle.stat();
      if (!stat.isFile()) throw new EngineError("bad-input", "is not a file", { where: path });
      return new FileSource(path, stat.size, handle);
    } catch (error) {
      await handle?.close();
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      if (error instanceof EngineError) throw error;
      throw new EngineError("bad-input", "cannot be read", {
        where: path,
        actual: code,
        expected: "a file",
        cause: error,
      });
    }
  }

  /** @throws EngineError `bad-input` if the file ends before, `io` if the disk fails or the file is closed. */
  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(this, offset, length);
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const { bytesRead } = await this.#handle
        .read(bytes, done, Math.min(length - done, 1 << 30), offset + done)
        .catch((cause: unknown) => {
          throw new EngineError("io", `cannot be read: ${(cause as Error).message}`, { where: this.name, cause });
        });
      if (bytesRead === 0)
        throw new EngineError("bad-input", "the file became shorter while it was read", {
          where: this.name,
          fix: "download or copy the file again",
        });
      done += bytesRead;
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
