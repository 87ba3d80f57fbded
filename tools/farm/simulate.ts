/**
 * How many pieces a Redis hands out: `npx tsx tools/farm/simulate.ts [WORKERS] [SECONDS of a piece, …]`. Workers are those of
 * `bark worker` with a speaker that waits instead of speaking and a store in memory; they live in a few processes. For each
 * length of a piece it prints what the workers could do, what they did, and what it cost. Needs redis-server.
 */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { setTimeout as pause } from "node:timers/promises";
import { Farm } from "../../server/queue/farm.ts";
import { PieceWorker } from "../../server/queue/piece_worker.ts";
import type { FarmStore } from "../../server/queue/stores/open.ts";
import { sha256 } from "../../speech/book/hash.ts";
import { RedisServer } from "../../spec/queue/redis_server.ts";

const processes = 4;
const kind = { version: "1", checkpoint: "c", dtype: "f16", store: "simulation" };
const perBook = 20;
/** Milliseconds: for which there is work before the measure, and of it. */
const [settle, measure] = [30_000, 15_000];

const keyOf = async (book: number, piece: number): Promise<string> =>
  await sha256(new TextEncoder().encode(`${book} ${piece}`));

/** By book: the workers of a process share them, or its memory would be the limit. */
const plans = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

async function planOf(book: number): Promise<Uint8Array<ArrayBuffer>> {
  const keys = await Promise.all(Array.from({ length: perBook }, (_, i) => keyOf(book, i)));
  const pieces = keys.map((key) => ({ text: "x".repeat(120), voice: null, key, source: [0, 1], gap: 0 }));
  return new TextEncoder().encode(JSON.stringify({ version: 1, settings: {}, pieces }));
}

/** Gives the plans of the books, and takes nothing. */
const store: FarmStore = {
  id: kind.store,
  files: {
    name: "memory",
    read: async (file) => {
      const [, book] = /^book-(\d+)\/plan\.json$/.exec(file) ?? [];
      if (book === undefined) return undefined;
      if (!plans.has(book)) plans.set(book, planOf(Number(book)));
      return await plans.get(book);
    },
    write: async () => undefined,
    create: async () => true,
    remove: async () => undefined,
  },
};

async function runWorkers([url, count, seconds]: string[]): Promise<void> {
  let spoken = 0;
  const speak = async (): Promise<void> => {
    // Pieces differ: from half to one and a half of the mean.
    await pause(Number(seconds) * 1000 * (0.5 + Math.random()));
    spoken++;
  };
  for (let i = 0; i < Number(count); i++) {
    const farm = await open(url);
    const { signal } = new AbortController();
    const notice = (line: string): void => void process.stderr.write(`${line}\n`);
    void new PieceWorker({ farm, store, kind, adapter: "none", rate: 24_000, speak, notice, signal }).run();
  }
  let last = process.cpuUsage();
  process.send!("ready");
  process.on("message", () => {
    const used = process.cpuUsage(last);
    last = process.cpuUsage();
    process.send!({ spoken, cpu: (used.user + used.system) / 1e6 });
  });
}

/** Two thousand connections at once are more than a busy machine takes. */
async function open(url: string): Promise<Farm> {
  for (;;)
    try {
      return await Farm.open(url, () => undefined);
    } catch {
      await pause(500);
    }
}

interface Report {
  readonly spoken: number;
  /** Seconds since the last report. */
  readonly cpu: number;
}

async function report(children: readonly ChildProcess[]): Promise<Report> {
  const each = await Promise.all(
    children.map(async (child) => {
      child.send("report");
      return ((await once(child, "message")) as [Report])[0];
    }),
  );
  return { spoken: sum(each.map(({ spoken }) => spoken)), cpu: sum(each.map(({ cpu }) => cpu)) };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

async function simulate(workers: number, seconds: number): Promise<void> {
  const redis = await RedisServer.start();
  const farm = await Farm.open(redis.url, () => undefined);
  const client = farm.connection.redis;
  const wanted = Math.ceil(((workers / seconds) * (settle + measure)) / 1000 + 2 * workers);
  const books = Math.ceil(wanted / perBook);
  const began = performance.now();
  for (let book = 0; book < books; book++) {
    const pieces = await Promise.all(Array.from({ length: perBook }, (_, i) => keyOf(book, i)));
    const data = pieces.map((key, i) => [i, { folder: `book-${book}`, key, voice: null }] as const);
    const id = `b${String(book).padStart(15, "0")}`;
    await farm.add({ id, folder: `book-${book}`, title: id, kind }, new Map(data));
  }
  const put = (books * perBook) / ((performance.now() - began) / 1000);
  const memory = Number(/^used_memory:(\d+)/m.exec(await client.info("memory"))![1]) / (books * perBook);
  const children = Array.from({ length: processes }, () =>
    fork(fileURLToPath(import.meta.url), ["worker", redis.url, `${workers / processes}`, `${seconds}`], {
      execArgv: ["--import", import.meta.resolve("tsx")],
    }),
  );
  try {
    await Promise.all(children.map((child) => once(child, "message")));
    // Until each has begun: connecting takes a busy machine its time.
    while ((await report(children)).spoken < workers) await pause(1000);
    await client.config("RESETSTAT");
    const cpuOf = async (): Promise<number> => {
      const info = await client.info("cpu");
      return sum(
        ["used_cpu_sys", "used_cpu_user"].map((name) => Number(new RegExp(`^${name}:(.*)`, "m").exec(info)![1])),
      );
    };
    const [first, cpu, from] = [await report(children), await cpuOf(), performance.now()];
    await pause(measure);
    const [last, time] = [await report(children), (performance.now() - from) / 1000];
    const spoken = last.spoken - first.spoken;
    const stats = [...(await client.info("commandstats")).matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
    const calls = stats.map(([, name, calls]) => [name, Number(calls)] as const).sort(([, a], [, b]) => b - a);
    const rows = [
      `${seconds} s a piece`,
      `could ${(workers / seconds).toFixed(0)}/s`,
      `did ${(spoken / time).toFixed(0)}/s (${((100 * spoken * seconds) / time / workers).toFixed(0)} %)`,
      `Redis ${((100 * ((await cpuOf()) - cpu)) / time).toFixed(0)} % of a core`,
      `workers ${((100 * last.cpu) / time).toFixed(0)} % of a core`,
      `${(sum(calls.map(([, count]) => count)) / spoken).toFixed(1)} commands a piece`,
      `put in ${put.toFixed(0)}/s`,
      `${memory.toFixed(0)} bytes a waiting piece`,
    ];
    console.log(rows.join(" | "));
    const shown = calls.slice(0, 16).map(([name, count]) => `${name} ${(count / spoken).toFixed(2)}`);
    console.log(`    a piece: ${shown.join(", ")}`);
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await farm.close();
    await redis.close();
  }
}

const [first = "1000", ...rest] = process.argv.slice(2);
if (first === "worker") await runWorkers(rest);
else
  for (const seconds of rest.length > 0 ? rest : ["10", "5", "2", "1", "0.5"])
    await simulate(Number(first), Number(seconds));
