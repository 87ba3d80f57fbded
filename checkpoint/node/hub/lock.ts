import { open, readFile, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { checkAborted, pause } from "../../hub/retry.ts";
import { makeFolder, writeError } from "../atomic_file.ts";

const heartbeat = 2_000;
/** A lock that was not touched for this long belongs to nobody. */
const lease = 20_000;
const poll = 200;

export interface LockOptions {
  /** Called once if another process holds the lock. */
  onWait: () => void;
  /** Whether what the lock is wanted for has been done by the other. */
  isDone: () => Promise<boolean>;
  signal?: AbortSignal | undefined;
}

/**
 * Does `work` while no other process that asks for the same lock does; does nothing if another has done it meanwhile.
 * Node has no `flock`: the lock is a file that exists, touched as long as its owner lives. Where that fails (two take
 * over a lock left behind at once), both fetch the same bytes to the same places, which costs time and nothing else.
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

/** Whether the owner of a lock has ended without taking it away: killed, or the power went. */
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
