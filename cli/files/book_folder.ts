import { readdir, rm, rmdir } from "node:fs/promises";
import path from "node:path";
import { makeFolder } from "../../checkpoint/node/atomic_file.ts";
import { withLock } from "../../checkpoint/node/hub/lock.ts";
import { EngineError } from "../../engine/errors.ts";
import { FolderStore } from "../../server/queue/stores/folder.ts";
import { planFile } from "../../speech/book/plan.ts";
import type { BookStore } from "../../speech/book/store.ts";

const lockFile = ".lock";

/**
 * Works in a book's folder, alone among processes; makes it if it is missing.
 * @throws EngineError `usage` for a folder of other files, or one that another process works in; `io` without permission.
 */
export async function inBookFolder(
  folder: string,
  signal: AbortSignal,
  work: (store: BookStore) => Promise<void>,
): Promise<void> {
  await makeFolder(folder);
  const names = await readdir(folder).catch((cause: Error) => {
    throw new EngineError("io", `cannot be read: ${cause.message.split(",")[0]}`, { where: folder, cause });
  });
  const isOurs = names.includes(planFile) || names.every((name) => name === lockFile || isHalf(name));
  if (!isOurs)
    throw new EngineError("usage", "holds files, and none of them is the plan of a book", {
      where: folder,
      fix: "give an empty folder, or one that does not exist",
    });
  const onWait = (): never => {
    throw new EngineError("usage", "another process is speaking this book", {
      where: folder,
      fix: `wait for it; if there is none, remove ${path.join(folder, lockFile)}`,
    });
  };
  try {
    const options = { onWait, isDone: () => Promise.resolve(false), signal };
    await withLock(path.join(folder, lockFile), options, async () => {
      await removeHalves(folder);
      await work(new FolderStore(folder));
    });
  } finally {
    // A folder in which nothing was begun is gone again; one with files stays.
    await rmdir(folder).catch(() => undefined);
  }
}

/** Of a file that a killed process was writing. */
function isHalf(name: string): boolean {
  return /^\.bark-\w+\.tmp$/.test(name);
}

async function removeHalves(folder: string): Promise<void> {
  for (const part of ["", "pieces", "chapters"]) {
    const names = await readdir(path.join(folder, part)).catch(() => []);
    for (const name of names.filter(isHalf)) await rm(path.join(folder, part, name), { force: true });
  }
}
