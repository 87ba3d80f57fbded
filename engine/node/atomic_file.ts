import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { EngineError } from "../errors.ts";

/** Makes a folder and those above it where they are missing. @throws EngineError `io`. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw writeError(folder, error as NodeJS.ErrnoException);
  }
}

/**
 * Writes a whole file: to a temporary name in the same folder, then renamed, so that a reader (and a run that is
 * interrupted) finds the old file or the new one but never half of one. A device or pipe is written to as it is.
 * @param content all bytes, or parts of them in order.
 * @throws EngineError `io` if it cannot be written; what making the parts throws.
 */
export async function writeFileAtomically(
  file: string,
  content: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<void> {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.${nextId++}.tmp`);
  try {
    if (await isDevice(file)) return await write(file, "w", content);
    await write(temporary, "wx", content);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // What failed first is what to report.
    throw error instanceof EngineError ? error : writeError(file, error as NodeJS.ErrnoException);
  }
}

/** Such as /dev/null or /dev/stdout: a rename would put a file in its place. */
async function isDevice(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && !found.isFile() && !found.isDirectory();
}

async function write(file: string, flags: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await open(file, flags);
  try {
    const parts = content instanceof Uint8Array ? [content] : content;
    for await (const part of parts) await handle.writeFile(part);
  } finally {
    await handle.close();
  }
}

let nextId = 0;

const reasons: Record<string, [message: string, fix: string]> = {
  ENOENT: ["the folder does not exist", "create it, or give another path"],
  ENOTDIR: ["the folder is not a folder", "give another path"],
  EACCES: ["no permission to write here", "give another path"],
  EROFS: ["the file system is read-only", "give another path"],
  EISDIR: ["is a folder", "give the path of a file"],
  EEXIST: ["a file stands in the way", "give another path"],
  ENOSPC: ["the disk is full", "make room, or give another path"],
};

/** Why a file could not be written, in words. */
export function writeError(file: string, error: NodeJS.ErrnoException): EngineError {
  const [message, fix] = reasons[error.code ?? ""] ?? [`cannot be written: ${error.message}`, "give another path"];
  return new EngineError("io", message, { where: file, fix, cause: error });
}
