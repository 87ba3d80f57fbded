import { expect } from "chai";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { EngineError } from "../../engine/errors.ts";
import { Farm } from "../../server/queue/farm.ts";
import { bookId } from "../../server/queue/farm_run.ts";
import { openStore, type FarmStore } from "../../server/queue/stores/open.ts";
import { hasRedis, RedisServer } from "./redis_server.ts";
import { allOf, kindOf, runOf, speakStub, startWorker, stopWorkers, storePlan, type StubRun } from "./stub_farm.ts";

const sentences = Array.from({ length: 8 }, (_, i) => `This is the sentence of number ${"abcdefgh"[i]}.`);

describe("a farm of books", function () {
  this.timeout(60_000);
  let server: RedisServer;
  let folder: string;
  let store: FarmStore;
  let farm: Farm;
  let count = 0;
  const notices: string[] = [];
  before(async function () {
    if (!hasRedis) this.skip(); // apt-get install redis-server
    server = await RedisServer.start();
    folder = await mkdtemp(path.join(tmpdir(), "bark-farm-"));
    store = await openStore(path.join(folder, "store"));
    farm = await Farm.open(server.url, (line) => void notices.push(line));
  });
  after(async () => {
    await (farm as Farm | undefined)?.close();
    await (server as RedisServer | undefined)?.close();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });
  afterEach(stopWorkers);
  /** A book of its own for each test. */
  async function book(texts = sentences): Promise<StubRun & { notices: string[] }> {
    const name = `book ${count++}`;
    return { farm, store, name, plan: await storePlan(store, name, texts), notices: [] };
  }
  const keysOf = async (name: string): Promise<string[]> => {
    const names = await readdir(path.join(store.files.name, name, "pieces")).catch(() => []);
    return names.filter((file) => file.endsWith(".json"));
  };

  it("speaks every piece once over two workers, and leaves nothing of the book in Redis", async () => {
    const spoken: string[] = [];
    const speak: typeof speakStub = async (request) => {
      spoken.push(request.piece.key);
      await pause(20);
      await speakStub(request);
    };
    const workers = [await startWorker(server.url, store, speak), await startWorker(server.url, store, speak)];
    const stub = await book();
    const pieces = await allOf(stub);
    const keys = stub.plan.pieces.map(({ key }) => key).sort();
    expect(pieces.map(({ piece }) => piece.key).sort()).deep.equal(keys);
    expect(spoken.sort()).deep.equal(keys);
    expect((await farm.workers()).map(({ adapter }) => adapter)).deep.equal(["stub", "stub"]);
    const each = await Promise.all(workers.map((worker) => worker.stop()));
    expect(each[0] + each[1]).equal(sentences.length);
    expect(Math.min(...each)).above(0);
    await farm.forget(await bookId(store, stub.name));
    const left = await farm.connection.redis.keys("*");
    expect(left.filter((key) => key.includes(stub.plan.pieces[0].key))).deep.equal([]);
    expect(await farm.workers()).deep.equal([]);
  });

  it("speaks no text in Redis: keys alone", async () => {
    const stub = await book();
    const run = runOf(stub, "in-redis");
    await run.begin();
    const { redis } = farm.connection;
    for (const key of await redis.keys("bark:pieces-*:in-redis-*"))
      expect(JSON.stringify(await redis.hgetall(key))).not.include("sentence");
    await farm.stop("in-redis", "cancelled");
  });

  it("fails a poison piece alone, after three tries, and says why", async () => {
    let tries = 0;
    const worker = await startWorker(server.url, store, async (request) => {
      if (!request.piece.text.includes("number c")) return await speakStub(request);
      tries++;
      throw new EngineError("shape", "the piece is poison");
    });
    const stub = await book();
    const pieces = await allOf(stub);
    expect(tries).equal(3);
    const lost = pieces.filter(({ stored }) => stored.lost !== undefined);
    expect(lost.map(({ piece, stored }) => [piece.text.at(-2), stored.lost])).deep.equal([
      ["c", "the piece is poison"],
    ]);
    expect(stub.notices.filter((line) => line.includes("could not be spoken"))).length(1);
    expect(worker.notices.filter((line) => line.includes("(try 3 of 3): the piece is poison"))).length(1);
    await worker.stop();
    // The same book again tries it again.
    const cured = await startWorker(server.url, store, speakStub);
    expect((await allOf(stub)).filter(({ stored }) => stored.lost !== undefined)).deep.equal([]);
    await cured.stop();
  });

  it("hands the piece under way back when a worker is stopped, and the next one speaks it", async () => {
    let isSpeaking = false;
    const slow = await startWorker(server.url, store, async ({ signal }) => {
      isSpeaking = true;
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))));
    });
    const stub = await book();
    const pieces = allOf(stub);
    while (!isSpeaking) await pause(10);
    expect(await slow.stop()).equal(0);
    const worker = await startWorker(server.url, store, speakStub);
    expect((await pieces).filter(({ stored }) => stored.lost !== undefined)).deep.equal([]);
    expect(await worker.stop()).equal(sentences.length);
  });

  it("ends a worker whose store fails, without a try of the piece", async () => {
    const broken = await startWorker(server.url, store, async () => {
      throw new EngineError("io", "the disk is full", { where: "store" });
    });
    const stub = await book();
    const pieces = allOf(stub);
    const fault = await broken.ended.catch((error: unknown) => error);
    expect((fault as EngineError).message).equal("store: the disk is full");
    const worker = await startWorker(server.url, store, speakStub);
    expect((await pieces).every(({ stored }) => stored.lost === undefined)).equal(true);
    await worker.stop();
  });

  it("gives the pieces of a worker that fell silent to others; what it says late changes nothing", async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let isHeld = false;
    // Its lock is not renewed in time: as if the process were stopped.
    const stopped = await startWorker(server.url, store, async (request) => {
      isHeld = true;
      const { redis } = farm.connection;
      for (const lock of await redis.keys("bark:pieces-*:lock")) await redis.del(lock);
      await held;
      await request.files.add(request.piece, new Float32Array(50), { flags: [], attempts: 9, seed: "1" });
    });
    const stub = await book();
    const pieces = allOf(stub);
    while (!isHeld) await pause(10);
    const worker = await startWorker(server.url, store, speakStub);
    expect((await pieces).map(({ stored }) => stored.attempts)).deep.equal(sentences.map(() => 1));
    release();
    await stopped.stop();
    expect(stopped.notices.join()).match(/went to another/);
    expect((await allOf(stub)).map(({ stored }) => stored.attempts)).deep.equal(sentences.map(() => 1));
    await worker.stop();
  });

  it("leaves books of another kind to others, tells it in one line, and takes no try", async () => {
    const others = [{ version: "0.9.0" }, { checkpoint: "d" }, { dtype: "q8" }, { store: "elsewhere" }];
    const stub = await book();
    const run = runOf(stub, await bookId(store, stub.name));
    await run.begin();
    for (const other of others) {
      const worker = await startWorker(server.url, store, speakStub, { kind: kindOf(store, other) });
      const told = (): string[] => worker.notices.filter((line) => line.includes(`"${stub.name}"`));
      while (told().length === 0) await pause(10);
      const [name] = Object.keys(other);
      expect(told(), name).length(1);
      expect(told()[0]).match(/leaves "book \d+" to other workers: this one has .*(version 0\.9\.0|-m|q8|--store)/);
      expect(await worker.stop()).equal(0);
    }
    expect(await keysOf(stub.name)).deep.equal([]);
    const worker = await startWorker(server.url, store, speakStub);
    for await (const { stored } of run.spoken()) expect(stored.lost).equal(undefined);
    await worker.stop();
  });

  it("pauses a book, goes on with it, and cancels it", async () => {
    const stub = await book();
    const id = await bookId(store, stub.name);
    const pieces = allOf(stub).catch((error: unknown) => error);
    while ((await farm.progress(id)) === undefined) await pause(10);
    await farm.stop(id, "paused");
    const worker = await startWorker(server.url, store, speakStub);
    await pause(200);
    expect(await keysOf(stub.name)).deep.equal([]);
    // Attached a second time: both see all of it.
    const second = allOf(stub);
    expect(((await pieces) as unknown[]).length).equal(sentences.length);
    expect((await second).length).equal(sentences.length);
    await worker.stop();
    const other = await book();
    const waiting = allOf(other).catch((error: unknown) => error);
    const otherId = await bookId(store, other.name);
    while ((await farm.progress(otherId)) === undefined) await pause(10);
    await farm.stop(otherId, "cancelled");
    expect(((await waiting) as EngineError).message).match(/book \d+: was cancelled/);
    expect(await farm.progress(otherId)).equal(undefined);
    await farm.stop(otherId, "cancelled").then(
      () => expect.fail("cancelled twice"),
      (error: Error) => expect(error.message).match(/is not in the farm/),
    );
  });

  it("speaks a short book before the end of a long one, and a request before both", async () => {
    const order: string[] = [];
    const long = await book();
    const short = await book(sentences.slice(0, 2));
    for (const stub of [long, short]) await runOf(stub, await bookId(store, stub.name)).begin();
    const { pieces } = await storePlan(store, "urgent", ["Somebody listens to this one."]);
    const urgent = { id: "urgent", folder: "urgent", title: "urgent", kind: kindOf(store), isUrgent: true };
    await farm.add(urgent, new Map([[0, { folder: "urgent", key: pieces[0].key, voice: null }]]));
    const worker = await startWorker(server.url, store, async (request) => {
      order.push(request.plan.title);
      await speakStub(request);
    });
    while (order.length < 11) await pause(10);
    await worker.stop();
    expect(order[0]).equal("urgent");
    expect(order.slice(0, 5).filter((title) => title === short.name)).length(2);
    expect(order.slice(5).every((title) => title === long.name)).equal(true);
  });

  it("goes on when Redis comes back, without its data, and the same book puts in what is missing", async () => {
    let spoken = 0;
    const speak: typeof speakStub = async (request) => {
      spoken++;
      await pause(50);
      await speakStub(request);
    };
    const stub = await book();
    const worker = await startWorker(server.url, store, speak);
    const pieces = allOf(stub);
    while (spoken < 2) await pause(10);
    await server.restart();
    expect((await pieces).map(({ stored }) => stored.lost)).deep.equal(sentences.map(() => undefined));
    expect(stub.notices.join()).match(/the farm has lost the book: \d pieces are put in again/);
    expect(notices.join()).match(/is gone; waiting for it.*is back/);
    // At most the piece under way is spoken again.
    expect(spoken).within(sentences.length, sentences.length + 1);
    await worker.stop();
  });
});
