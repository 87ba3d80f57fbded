import { createReadStream, rmSync, writeFile as writeDescriptor, writeSync, type Stats } from "node:fs";
import { access, constants, mkdir, open, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { Socket } from "node:net";
import path from "node:path";
import { EngineError } from "../../engine/errors.ts";
import { follow, type Followed } from "./follow.ts";

/** Makes a folder and those above it where they are missing. @throws EngineError `io`. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw writeError(folder, error as NodeJS.ErrnoException);
  }
}

/**
 * Writes a whole file: to a temporary name beside it, then renamed, so that a reader (and a run that is interrupted)
 * finds the old file or the new one but never half of one. Symbolic links stay, and so do mode, owner and group of an old
 * file as far as the system allows. A device, a pipe or a descriptor (`/dev/stdout`) is written to as it is.
 * @param content all bytes, or parts of them in order.
 * @throws EngineError `io` if it cannot be written; what making the parts throws.
 */
export async function writeFileAtomically(
  file: string,
  content: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<void> {
  const fail = (error: NodeJS.ErrnoException): never => {
    throw writeError(file, error);
  };
  const { descriptor, path: real, old, isReplaced } = await findTarget(file).catch(fail);
  if (descriptor !== undefined) return await writeParts(content, appendTo(descriptor), fail);
  if (!isReplaced) return await write(await open(real, asItIs).catch(fail), content, fail);
  await withTemporary(path.dirname(real), async (temporary) => {
    // The new file must not be readable for people who could not read the old one.
    const handle = await open(temporary, "wx", old === undefined ? 0o666 : old.mode & 0o777).catch(fail);
    await write(handle, content, fail, old);
    await replace(temporary, real, old).catch(fail);
  });
}

/**
 * Where the bytes for a file would go; a run of hours calls it first. @throws EngineError `usage` if the name cannot be a
 * file's, `io` without permission.
 */
export async function checkWritable(file: string, where = file): Promise<WriteTarget> {
  return await findTarget(file).catch((error: NodeJS.ErrnoException) => {
    const { problem, fix } = writeError(where, error);
    const code = wrongNames.includes(error.code ?? "") ? "usage" : "io";
    const missing = error.code === "ENOENT" ? `mkdir -p ${error.path ?? path.dirname(file)}` : fix;
    throw new EngineError(code, problem, { where, fix: missing, cause: error });
  });
}

const wrongNames: readonly string[] = ["ENOENT", "ENOTDIR", "EISDIR", "ENAMETOOLONG", "ELOOP"];

export type WriteTarget = Followed & {
  /** The existing file. */
  readonly old?: Stats | undefined;
  /** A new file replaces it; else it is written in place. */
  readonly isReplaced: boolean;
};

/** @throws the system's error if it cannot be written. */
async function findTarget(file: string): Promise<WriteTarget> {
  if (file.endsWith("/") || file.endsWith(path.sep)) throw systemError("EISDIR");
  const followed = await follow(file);
  if (followed.descriptor !== undefined) {
    // Writes no bytes: the system refuses even these if the descriptor is closed or only open for reading.
    writeSync(followed.descriptor, new Uint8Array(0));
    return { ...followed, isReplaced: false };
  }
  const real = followed.path;
  const old = await stat(real).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (old?.isDirectory()) throw systemError("EISDIR");
  if (old?.isSocket()) throw systemError("ENXIO");
  const refusal = await access(path.dirname(real), constants.W_OK | constants.X_OK).catch((error: Error) => error);
  if (old === undefined && refusal !== undefined) throw refusal;
  // A writable folder lets a name move to another file whatever the old one's mode; but a read-only mode means: keep it.
  if (old !== undefined) await access(real, constants.W_OK);
  return { path: real, old, isReplaced: old === undefined || (old.isFile() && refusal === undefined) };
}

/** Without O_CREAT, which Linux refuses for other users' files in folders like /tmp. */
const asItIs = constants.O_WRONLY | constants.O_TRUNC;

type Fail = (error: NodeJS.ErrnoException) => never;

/** Writes all parts and closes the file. */
async function write(
  handle: FileHandle,
  content: Uint8Array | AsyncIterable<Uint8Array>,
  fail: Fail,
  old?: Stats,
): Promise<void> {
  try {
    await writeParts(content, (part) => handle.writeFile(part), fail);
    if (old !== undefined) await keepRights(handle, old);
  } finally {
    await handle.close().catch(fail);
  }
}

/** Marks errors of writing; an error of the content keeps its own cause. */
async function writeParts(
  content: Uint8Array | AsyncIterable<Uint8Array>,
  append: (part: Uint8Array) => Promise<void>,
  fail: Fail,
): Promise<void> {
  for await (const part of content instanceof Uint8Array ? [content] : content) await append(part).catch(fail);
}

function appendTo(descriptor: number): (part: Uint8Array) => Promise<void> {
  const stream = descriptor === 1 ? process.stdout : descriptor === 2 ? process.stderr : undefined;
  return (part) =>
    new Promise((resolve, reject) => {
      const done = (error?: Error | null): void => (error ? reject(error) : resolve());
      // A pipe behind a standard stream does not block: written by its descriptor, it refuses bytes when it is full. A
      // stream of a file, on the other hand, hides that a full disk took only half of the bytes.
      if (stream instanceof Socket) stream.write(part, done);
      else writeDescriptor(descriptor, part, done);
    });
}

/** Owner and group as far as this user may give them, and the mode, of which some file systems have none. */
async function keepRights(handle: FileHandle, old: Stats): Promise<void> {
  const { uid, gid } = await handle.stat();
  if (uid !== old.uid || gid !== old.gid)
    await handle
      .chown(old.uid, old.gid)
      .catch(() => handle.chown(uid, old.gid))
      .catch(() => undefined);
  await handle.chmod(old.mode & 0o777).catch(() => undefined);
}

/** A file that is a mount point, or another user's in a folder like /tmp, takes new content but no new file. */
async function replace(temporary: string, file: string, old: Stats | undefined): Promise<void> {
  try {
    await rename(temporary, file);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (old === undefined || !["EBUSY", "EPERM", "EACCES"].includes(code)) throw error;
    const fail = (refusal: Error): never => {
      throw refusal;
    };
    await write(await open(file, asItIs), createReadStream(temporary) as AsyncIterable<Uint8Array>, fail);
  }
}

const temporaries = new Set<string>();

/**
 * Calls `use` with an unused name in `folder` and removes anything left under it. The name is short, because the target's
 * may already be as long as the file system allows.
 */
export async function withTemporary<T>(folder: string, use: (temporary: string) => Promise<T>): Promise<T> {
  const temporary = path.join(folder, `.bark-${crypto.randomUUID().slice(0, 8)}.tmp`);
  temporaries.add(temporary);
  try {
    return await use(temporary);
  } finally {
    // Report the first failure.
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    temporaries.delete(temporary);
  }
}

/** For a process that is about to end in the middle of writing. */
export function removeTemporaries(): void {
  for (const temporary of temporaries) rmSync(temporary, { recursive: true, force: true });
}

function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}

const reasons: Record<string, [message: string, fix: string]> = {
  ENOENT: ["the folder does not exist", "create it, or give another path"],
  ENOTDIR: ["the folder is not a folder", "give another path"],
  EACCES: ["no permission to write here", "give another path"],
  EPERM: ["no permission to write here", "give another path"],
  EROFS: ["the file system is read-only", "give another path"],
  EISDIR: ["is not the name of a file", "give a file's name"],
  ENAMETOOLONG: ["the name is too long for the file system", "give a shorter one"],
  ELOOP: ["the symbolic links go round in a circle", "give another path"],
  ENXIO: ["is a socket", "give the path of a file"],
  EBADF: ["is not open for writing", "give another path"],
  EEXIST: ["a file stands in the way", "give another path"],
  ENOSPC: ["the disk is full", "make room, or give another path"],
};

/** Why a file could not be written, in words. */
export function writeError(file: string, error: NodeJS.ErrnoException): EngineError {
  const [message, fix] = reasons[error.code ?? ""] ?? [`cannot be written: ${error.message}`, "give another path"];
  return new EngineError("io", message, { where: file, fix, cause: error });
}
