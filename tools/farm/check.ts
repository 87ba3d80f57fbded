/**
 * A book over three workers with a real Redis: one is killed by SIGKILL, one stopped by SIGSTOP beyond its lock and let go
 * on, Redis restarted once. Then the same book on one machine: `npx tsx tools/farm/check.ts [SENTENCES] [MODEL]` (about
 * four minutes on an idle software adapter). Needs redis-server.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { RedisServer } from "../../spec/queue/redis_server.ts";

const [count = "24", model = "nano"] = process.argv.slice(2);
const folder = await mkdtemp(path.join(tmpdir(), "bark-farm-check-"));
const entry = path.resolve("cli/main.ts");
const monitor = path.resolve("tools/farm/loop_delay.mjs");
const began = performance.now();
const say = (line: string): void =>
  console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`);

const animals = ["dog", "cat", "bird", "horse", "fish", "cow"];
const places = ["garden", "house", "forest", "river", "village", "school"];
const sentences = Array.from({ length: Number(count) }, (_, i) => {
  const [animal, place] = [animals[i % 6], places[Math.floor(i / 6) % 6]];
  return `${i % 12 === 0 ? `## Part ${1 + i / 12}\n\n` : ""}The ${animal} number ${i + 1} is in the ${place} now, and it waits.`;
});
await writeFile(path.join(folder, "book.md"), sentences.join("\n\n"));

interface Process {
  readonly name: string;
  readonly child: ChildProcess;
  readonly lines: string[];
  readonly ended: Promise<number | null>;
}

function bark(name: string, args: readonly string[]): Process {
  const node = ["--import", import.meta.resolve("tsx"), "--import", monitor, entry, ...args];
  const child = spawn(process.execPath, node, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      for (const line of chunk
        .toString()
        .split("\n")
        .filter((each) => each !== "")) {
        lines.push(line);
        if (!/^event loop|^load|: \d+\.\d s$/.test(line)) say(`${name}: ${line}`);
      }
    });
  const ended = once(child, "close").then(([code]) => code as number | null);
  return { name, child, lines, ended };
}

const spokenBy = ({ lines }: Process): string[] =>
  lines.flatMap((line) => / (\w{12}): \d+\.\d s$/.exec(line)?.[1] ?? []);
async function until(what: string, isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(50);
  say(what);
}

/** Every file of a folder: its bytes and when it was written. */
async function contents(name: string): Promise<Map<string, { bytes: Buffer; time: number }>> {
  const files = new Map<string, { bytes: Buffer; time: number }>();
  for (const file of (await readdir(path.join(folder, name), { recursive: true })).sort()) {
    const info = await stat(path.join(folder, name, file));
    if (info.isFile() && !file.endsWith(".tmp"))
      files.set(file, { bytes: await readFile(path.join(folder, name, file)), time: info.mtimeMs });
  }
  return files;
}

let isGood = true;
const check = (what: string, isRight: boolean): void => {
  isGood &&= isRight;
  say(`${isRight ? "ok    " : "WRONG "} ${what}`);
};

const redis = await RedisServer.start("--appendonly", "yes", "--appendfsync", "always");
const processes: Process[] = [];
try {
  const farm = ["--queue", redis.url, "--store", "store", "-m", model];
  const [a, b, c] = ["worker A", "worker B", "worker C"].map((name) => bark(name, ["worker", ...farm]));
  processes.push(a, b, c);
  const book = bark("book", ["book", "book.md", ...farm, "--seed", "7", "--json"]);
  processes.push(book);
  await until("each worker speaks", () => [a, b, c].every((worker) => spokenBy(worker).length > 0));
  a.child.kill("SIGKILL");
  b.child.kill("SIGSTOP");
  const stoppedAt = performance.now();
  const first = await contents("store/book.book");
  say("A is killed, B is stopped, both while they speak");
  const before = spokenBy(c).length;
  await until("C goes on", () => spokenBy(c).length > before + 1);
  await redis.stop();
  say("Redis is stopped");
  await pause(3000);
  await redis.restart();
  say("Redis is back, with its data");
  await until("B's and A's pieces are spoken by C, and the book is joined", () => book.child.exitCode !== null);
  const silent = (performance.now() - stoppedAt) / 1000;
  const joined = await contents("store/book.book");
  b.child.kill("SIGCONT");
  await until("B goes on", () => b.lines.some((line) => line.includes("went to another")));
  for (const worker of [b, c]) worker.child.kill("SIGTERM");
  const codes = await Promise.all([b.ended, c.ended]);
  const after = await contents("store/book.book");

  check(`book ends with 0`, (await book.ended) === 0);
  check(
    `workers end with 0 at SIGTERM`,
    codes.every((code) => code === 0),
  );
  check(`B was stopped for ${silent.toFixed(0)} s, beyond its lock of 60 s`, silent > 60);
  const plan = JSON.parse(joined.get("plan.json")!.bytes.toString()) as { pieces: { key: string }[] };
  const keys = plan.pieces.map(({ key }) => key);
  const stored = [...joined.keys()].filter((name) => /^pieces\/\w+\.wav$/.test(name));
  check(`${keys.length} pieces, each stored: ${stored.length}`, stored.length === new Set(keys).size);
  const isSame = (old: Awaited<ReturnType<typeof contents>>): boolean =>
    [...old].every(([name, { time }]) => !name.startsWith("pieces/") || after.get(name)?.time === time);
  check("no stored piece was written a second time", isSame(first) && isSame(joined));
  const said = [a, b, c].flatMap(spokenBy);
  const twice = said.filter((key, i) => said.indexOf(key) !== i);
  check(`spoken a second time: ${twice.length} (B's, which it finished late)`, twice.length <= 1);
  // Before its first piece it loads the model, and holds no lock.
  const working = c.lines.slice(c.lines.findIndex((line) => /: \d+\.\d s$/.test(line)) + 1);
  const longest = Math.max(...working.flatMap((line) => /held up for (\d+) ms/.exec(line)?.[1] ?? []).map(Number));
  check(`C's event loop was held up for ${longest} ms at most`, longest < 1000);

  const local = bark("local", ["book", "book.md", "-o", "local.book", "-m", model, "--seed", "7", "--quiet"]);
  processes.push(local);
  check("the book on one machine ends with 0", (await local.ended) === 0);
  const alone = await contents("local.book");
  const differing = [...new Set([...alone.keys(), ...joined.keys()])].filter(
    (name) => !(alone.get(name)?.bytes.equals(joined.get(name)?.bytes ?? Buffer.of()) ?? false),
  );
  check(
    `${alone.size} files, byte for byte the same; different: ${differing.join(", ") || "none"}`,
    differing.length === 0,
  );
} finally {
  for (const { child } of processes) if (child.exitCode === null) child.kill("SIGKILL");
  await redis.close();
  await rm(folder, { recursive: true, force: true });
}
process.exit(isGood ? 0 : 1);
