import { open, readFile, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { checkAborted, pause } from "../../hub/retry.ts";
import { makeFolder, writeError } from "../atomic_file.ts";

const heartbeat = 2_000;
/** A lock that nobody touched for this long has lost its owner. */
const lease = 20_000;
const poll = 200;

export interface LockOptions {
  /** Called once if another process holds the lock. */
  onWait: () => void;
  /** Whether the other process has done the work already. */
  isDone: () => Promise<boolean>;
  signal?: AbortSignal | undefined;
}

/**
 * Runs `work` alone among the processes that use the same lock; does nothing if another has done it meanwhile. Node has
 * no `flock`: the lock is a file that its owner touches as long as it lives. Where that fails (two take over an abandoned
 * lock at once), both write the same bytes to the same places, which costs only time.
 * @throws EngineError `io` if the lock cannot be written, `aborted`; what `work` throws.
 */
export async function withLock(file: string, options: LockOptions, work: () => Promise<void>): Promise<void> {
  await makeFolder(path.dirname(file));
  let isTold = false;
  while (!(await take(file))) {
    checkAborted(options.signal);
    if (await options.isDone()) return;
    if (await isLeft(file)) {
      await rm(file, { force: true });
      continue;
    }
    if (!isTold) options.onWait();
    isTold = true;
    await pause(poll, options.signal);
  }
  const timer = setInterval(() => void touch(file), heartbeat);
  try {
    if (!(await options.isDone())) await work();
  } finally {
    clearInterval(timer);
    await rm(file, { force: true });
  }
}

async function take(file: string): Promise<boolean> {
  try {
    const handle = await open(file, "wx");
    await handle.writeFile(JSON.stringify({ pid: process.pid, host: hostname() })).finally(() => handle.close());
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw writeError(file, error as NodeJS.ErrnoException);
  }
}

/** Whether the owner of a lock ended without removing it: killed, or by a power cut. */
async function isLeft(file: string): Promise<boolean> {
  const [found, text] = await Promise.all([stat(file).catch(() => undefined), readFile(file, "utf8").catch(() => "")]);
  if (found === undefined) return false; // It went just now: the next try takes it.
  if (Date.now() - found.mtimeMs > lease) return true;
  const [, pid, host] = /^\{"pid":(\d+),"host":"(.*)"\}$/.exec(text) ?? [];
  return host === hostname() && !isAlive(Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

async function touch(file: string): Promise<void> {
  const now = new Date();
  await utimes(file, now, now).catch(() => undefined);
}
