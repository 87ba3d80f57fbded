import { open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { EngineError } from "../errors.ts";

/**
 * Writes a whole file: to a temporary name in the same folder, then renamed, so that a reader (and a run that is
 * interrupted) finds the old file or the new one but never half of one.
 * @throws EngineError `io` if it cannot be written.
 */
export async function writeFileAtomically(file: string, bytes: Uint8Array): Promise<void> {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.${nextId++}.tmp`);
  try {
    const handle = await open(temporary, "wx");
    try {
      await handle.writeFile(bytes);
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // What failed first is what to report.
    throw writeError(file, error as NodeJS.ErrnoException);
  }
}

let nextId = 0;

const reasons: Record<string, [message: string, fix: string]> = {
  ENOENT: ["the folder does not exist", "create it, or give another path"],
  ENOTDIR: ["the folder is not a folder", "give another path"],
  EACCES: ["no permission to write here", "give another path"],
  EROFS: ["the file system is read-only", "give another path"],
  EISDIR: ["is a folder", "give the path of a file"],
  ENOSPC: ["the disk is full", "make room, or give another path"],
};

function writeError(file: string, error: NodeJS.ErrnoException): EngineError {
  const [message, fix] = reasons[error.code ?? ""] ?? [`cannot be written: ${error.message}`, "give another path"];
  return new EngineError("io", message, { where: file, fix, cause: error });
}
