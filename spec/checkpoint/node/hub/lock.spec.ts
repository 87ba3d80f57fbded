import { expect } from "chai";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { withLock, type LockOptions } from "../../../../checkpoint/node/hub/lock.ts";
import { engineErrorOf } from "../../../support/rejection.ts";

/** No process has this number: it is beyond the largest. */
const nobody = 2 ** 22 + 1;

describe("withLock", () => {
  const { setTimeout, setInterval, clearInterval } = globalThis;
  let folder: string;
  let lock: string;
  let log: string[];
  let beats: (() => void)[];
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "bark-lock-"));
    lock = path.join(folder, "locks", "x.lock");
    log = [];
    beats = [];
    globalThis.setTimeout = ((done: () => void, milliseconds: number) => {
      log.push(`pause ${milliseconds}`);
      return setTimeout(done, 0);
    }) as unknown as typeof setTimeout;
    globalThis.setInterval = ((beat: () => void, milliseconds: number) => {
      log.push(`beat ${milliseconds}`);
      beats.push(beat);
      return "timer";
    }) as unknown as typeof setInterval;
    globalThis.clearInterval = (timer: unknown) => void log.push(`end ${String(timer)}`);
  });
  afterEach(() => {
    Object.assign(globalThis, { setTimeout, setInterval, clearInterval });
    rmSync(folder, { recursive: true });
  });

  const options = (fields: Partial<LockOptions> = {}): LockOptions => ({
    onWait: () => log.push("wait"),
    isDone: async () => false,
    ...fields,
  });
  const work = async (): Promise<void> => void log.push(readFileSync(lock, "utf8"));
  const mine = JSON.stringify({ pid: process.pid, host: hostname() });
  async function hold(text: string, age = 0): Promise<void> {
    await withLock(lock, options(), async () => undefined);
    log = [];
    writeFileSync(lock, text);
    const then = new Date(Date.now() - age);
    utimesSync(lock, then, then);
  }

  it("does the work with the lock held, told to live, and lets it go", async () => {
    await withLock(lock, options(), work);
    expect([log, existsSync(lock)]).deep.equal([["beat 2000", mine, "end timer"], false]);
  });

  it("lets it go where the work fails", async () => {
    const failed = await withLock(lock, options(), () => Promise.reject(new Error("no"))).catch(
      (error: Error) => error.message,
    );
    expect([failed, log, existsSync(lock)]).deep.equal(["no", ["beat 2000", "end timer"], false]);
  });

  it("is touched as long as its owner lives", async () => {
    await withLock(lock, options(), async () => {
      utimesSync(lock, new Date(1e12), new Date(1e12));
      beats[0]();
      while (statSync(lock).mtimeMs < 1.1e12) await new Promise((resolve) => setImmediate(resolve));
      expect(Date.now() - statSync(lock).mtimeMs).below(60_000);
    });
  });

  it("may be taken away meanwhile, and is that of a process that may not be asked", async () => {
    await withLock(lock, options(), async () => rmSync(lock));
    await hold(JSON.stringify({ pid: 1, host: hostname() }));
    const kill = process.kill.bind(process);
    process.kill = () => {
      throw Object.assign(new Error("no"), { code: "EPERM" });
    };
    try {
      let asked = 0;
      await withLock(lock, options({ isDone: async () => ++asked > 1 }), work);
      expect(log).deep.equal(["wait", "pause 200"]);
    } finally {
      process.kill = kill;
    }
  });

  it("does nothing where the work has been done meanwhile", async () => {
    await withLock(lock, options({ isDone: async () => true }), work);
    expect([log, existsSync(lock)]).deep.equal([["beat 2000", "end timer"], false]);
    await hold(mine);
    await withLock(lock, options({ isDone: async () => true }), work);
    expect([log, readFileSync(lock, "utf8")]).deep.equal([[], mine]);
  });

  for (const [name, text, age] of [
    ["of this process", mine, 0],
    ["of another machine", JSON.stringify({ pid: nobody, host: "elsewhere" }), 0],
    ["that is no JSON", `x${JSON.stringify({ pid: nobody, host: hostname() })}`, 0],
    ["with more behind it", `${JSON.stringify({ pid: nobody, host: hostname() })}x`, 0],
    ["that is empty", "", 15_000],
  ] as const)
    it(`waits for a lock ${name}, and says so once`, async () => {
      await hold(text, age);
      let asked = 0;
      const isDone = async (): Promise<boolean> => ++asked > 3;
      await withLock(lock, options({ isDone }), work);
      expect([log, readFileSync(lock, "utf8")]).deep.equal([["wait", "pause 200", "pause 200", "pause 200"], text]);
    });

  for (const [name, text, age] of [
    ["whose owner has ended", JSON.stringify({ pid: nobody, host: hostname() }), 0],
    ["that nobody touched for long", JSON.stringify({ pid: 1, host: "elsewhere" }), 25_000],
  ] as const)
    it(`takes over a lock ${name}`, async () => {
      await hold(text, age);
      await withLock(lock, options(), work);
      expect(log).deep.equal(["beat 2000", mine, "end timer"]);
    });

  it("goes on once the other has let go", async () => {
    await hold(mine);
    await withLock(lock, options({ onWait: () => rmSync(lock) }), work);
    expect(log).deep.equal(["pause 200", "beat 2000", mine, "end timer"]);
  });

  it("stops waiting when told, and tells what the disk says", async () => {
    await hold(mine);
    const error = await engineErrorOf(() => withLock(lock, options({ signal: AbortSignal.abort() }), work));
    expect([error.code, log]).deep.equal(["aborted", []]);
    const long = path.join(folder, "x".repeat(300));
    expect((await engineErrorOf(() => withLock(long, options(), work))).where).equal(long);
  });
});
