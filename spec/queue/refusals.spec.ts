import { expect } from "chai";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseBook } from "../../cli/book_options.ts";
import type { EngineError } from "../../engine/errors.ts";
import { Farm } from "../../server/queue/farm.ts";
import { fromPackage } from "../../server/queue/packages.ts";
import { openStore } from "../../server/queue/stores/open.ts";
import { bark, lines } from "../support/bark_command.ts";
import { freePort, hasRedis, RedisServer } from "./redis_server.ts";
import { allOf, startWorker, speakStub, stopWorkers, storePlan } from "./stub_farm.ts";

async function refusal(work: Promise<unknown>): Promise<EngineError> {
  return await work.then(
    () => expect.fail("was not refused"),
    (error: EngineError) => error,
  );
}

describe("a farm refuses in one line", function () {
  this.timeout(60_000);
  const notices: string[] = [];
  const open = async (url: string): Promise<EngineError> =>
    await refusal(Farm.open(url, (line) => void notices.push(line)).then((farm) => farm.close()));
  let folder: string;
  before(async () => (folder = await mkdtemp(path.join(tmpdir(), "bark-refusals-"))));
  after(() => rm(folder, { recursive: true }));
  afterEach(stopWorkers);

  it("what is no address, and a server that is not there", async () => {
    for (const url of ["localhost:6379", "http://localhost", "redis://", "x"]) {
      const { code, message } = await open(url);
      expect(code).equal("usage");
      expect(message).match(/^--queue: is no address/);
    }
    const { code, message } = await open(`redis://me:hunter2@127.0.0.1:${await freePort()}`);
    expect(code).equal("io");
    expect(message).match(/^redis:\/\/127\.0\.0\.1:\d+: no Redis answers: .*ECONNREFUSED.*; start it/);
    expect(message).not.include("hunter2");
  });

  it("an old Redis", async () => {
    const server = createServer((socket) => {
      const info = "redis_version:4.0.14\r\nloading:0\r\n";
      socket.on("data", (data) => {
        // Several commands may come at once.
        for (const [command] of data.toString().matchAll(/\*\d+\r\n(?:\$\d+\r\n[^\r]*\r\n)+/g))
          socket.write(/\ninfo\r/i.test(command) ? `$${info.length}\r\n${info}\r\n` : "+OK\r\n");
      });
      socket.on("error", () => undefined);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { code, message } = await open(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.close();
    expect(code).equal("usage");
    expect(message).match(/is too old a Redis \(expected 5 or later, got 4\.0\.14\)/);
  });

  it("a package that is not installed, and names what to install", async () => {
    const missing = fromPackage("bullmq", () => import(["no", "such", "package"].join("-")));
    expect((await refusal(missing)).message).equal(
      "bullmq: the farm needs a package that is not installed; run: npm install bullmq ioredis aws4fetch",
    );
  });

  it("flags that do not go together", async () => {
    const rows: [string[], RegExp][] = [
      [["--store", "s"], /--store: is of a book that a farm speaks; give --queue/],
      [["--pause"], /--pause: is of a book that a farm speaks/],
      [["--queue", "redis://h"], /--queue: needs a store/],
      [["--queue", "redis://h", "--store", "s", "--sample"], /--sample: is not of a book that a farm speaks/],
      [["--queue", "redis://h", "--store", "s", "--device", "x"], /--device: .*give it to the workers/],
      [["--queue", "redis://h", "--store", "s", "--pause", "--cancel"], /--cancel: does not go with --pause/],
      [["--queue", "redis://h", "--store", "s", "-o", "../x"], /--output: is the name of a folder in the store/],
      [["--queue", "redis://h", "--store", "s", "-o", "voices"], /--output: is the name of a folder in the store/],
    ];
    for (const [args, message] of rows) {
      const error = await refusal(parseBook(["a.txt", ...args]));
      expect([error.code, error.message.split(":")[0]]).deep.equal(["usage", message.source.split(":")[0]]);
      expect(error.message).match(message);
    }
  });

  it("from the command, with its exit code", async () => {
    const url = `redis://me:hunter2@127.0.0.1:${await freePort()}`;
    const rows: [string[], number, RegExp][] = [
      [["worker"], 2, /--queue: is missing/],
      [["worker", "--queue", url, "--store", path.join(folder, "s")], 1, /no Redis answers/],
      [["book", "a.txt", "--queue", url, "--store", path.join(folder, "s")], 1, /no Redis answers/],
    ];
    for (const [args, code, message] of rows) {
      const run = await bark(args);
      expect([run.code, lines(run.stderr).length], run.stderr).deep.equal([code, 1]);
      expect(run.stderr).match(message).not.include("hunter2");
    }
  });

  describe("with a Redis", () => {
    before(function () {
      if (!hasRedis) this.skip(); // apt-get install redis-server
    });

    it("a wrong password, or none, without showing it", async () => {
      const server = await RedisServer.start("--requirepass", "right");
      try {
        for (const login of ["", ":hunter2@", "me:hunter2@"]) {
          const { code, message } = await open(server.url.replace("redis://", `redis://${login}`));
          expect(code).equal("usage");
          expect(message)
            .match(/refuses the name or the password; .*BARK_QUEUE_PASSWORD/)
            .not.include("hunter2");
        }
        await (await Farm.open(server.url.replace("redis://", "redis://:right@"), () => undefined)).close();
      } finally {
        await server.close();
      }
    });

    it("a full one, whose book goes on when there is room; and tells of one that forgets", async () => {
      const server = await RedisServer.start("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru");
      let farm = await Farm.open(server.url, (line) => void notices.push(line));
      try {
        expect(notices.join()).match(/forgets pieces when it is full \(maxmemory-policy allkeys-lru\)/);
        const { redis } = farm.connection;
        await redis.config("SET", "maxmemory-policy", "noeviction", "maxmemory", "1mb");
        await redis.set("filler", "x".repeat(2 ** 20)).catch(() => undefined);
        const store = await openStore(path.join(folder, "full"));
        const stub = { farm, store, name: "full", plan: await storePlan(store, "full", ["One.", "Two."]) };
        const { code, message } = await refusal(allOf(stub));
        expect([code, message]).deep.equal([
          "io",
          `${server.url}: Redis is full; give it more maxmemory; what was spoken is kept`,
        ]);
        await redis.config("SET", "maxmemory", "100mb");
        const worker = await startWorker(server.url, store, speakStub);
        await farm.close();
        farm = await Farm.open(server.url, () => undefined);
        expect((await allOf({ ...stub, farm })).map(({ stored }) => stored.lost)).deep.equal([undefined, undefined]);
        await worker.stop();
      } finally {
        await farm.close();
        await server.close();
      }
    });
  });
});
