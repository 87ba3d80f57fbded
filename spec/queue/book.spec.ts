import { expect } from "chai";
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Readable } from "node:stream";
import { bark } from "../support/bark_command.ts";
import { hasRedis, RedisServer } from "./redis_server.ts";

/** A checkpoint that speaks in half the time of the embedded one; its vocabulary has few words. */
const small = path.resolve("spec/fixtures/torch/suno");
const few = ["-m", small, "--max-semantic-tokens", "4", "--retries", "0", "--seed", "3"];
const text =
  "## A\n\nThe dog is here now.\n\nA dog is hello here.\n\n## B\n\nHello is the dog hello.\n\nIs the dog here, hello?\n";

type Child = ChildProcessByStdio<null, Readable, Readable>;

describe("bark book by a farm", function () {
  this.timeout(300_000);
  let folder: string;
  let redis: RedisServer;
  const children: Child[] = [];
  before(async function () {
    if (!hasRedis) this.skip(); // apt-get install redis-server
    redis = await RedisServer.start();
    folder = await mkdtemp(path.join(tmpdir(), "bark-farm-book-"));
    await writeFile(path.join(folder, "talk.md"), text);
  });
  after(async () => {
    for (const child of children) child.kill("SIGKILL");
    await (redis as RedisServer | undefined)?.close();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  function startWorker(): { child: Child; begun: Promise<unknown> } {
    const args = ["--import", import.meta.resolve("tsx"), path.resolve("spec/queue/worker_process.ts")];
    const child = spawn(process.execPath, [...args, redis.url, path.join(folder, "store"), small], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.push(child);
    return { child, begun: once(child.stdout, "data") };
  }
  /** Every file of a folder, by name. */
  async function contents(name: string): Promise<Record<string, string>> {
    const files: Record<string, string> = {};
    for (const file of (await readdir(path.join(folder, name), { recursive: true })).sort())
      // A killed worker leaves what it was writing.
      if (!file.endsWith(".tmp") && (await stat(path.join(folder, name, file))).isFile())
        files[file] = (await readFile(path.join(folder, name, file))).toString("base64");
    return files;
  }
  const byFarm = async (...more: string[]) =>
    await bark(["book", "talk.md", "--queue", redis.url, "--store", "store", ...few, ...more], { cwd: folder });

  it("is byte for byte that of one machine, though a worker is killed while it speaks", async () => {
    const first = startWorker();
    const book = byFarm("--json");
    await first.begun;
    first.child.kill("SIGKILL");
    const second = startWorker();
    const run = await book;
    expect(run.code, run.stderr).equal(0);
    expect(JSON.parse(run.stdout)).include({ pieces: 4, spoken: 4, reused: 0, chapters: 2 });
    second.child.kill("SIGKILL");
    const local = await bark(["book", "talk.md", "-o", "local", ...few], { cwd: folder });
    expect(local.code, local.stderr).equal(0);
    expect(await contents("store/talk.book")).deep.equal(await contents("local"));
  });
});
