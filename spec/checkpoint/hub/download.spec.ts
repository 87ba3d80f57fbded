import { expect } from "chai";
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";
import { config, contentOf, hubFixture, id, weights, type HubFixture } from "../../support/hub/hub_fixture.ts";
import { firstCommit, secondCommit, sendFile, sha256 } from "../../support/hub/hub_server.ts";
import { engineErrorOf } from "../../support/rejection.ts";

const half = 1_500_000;
const etag = sha256(weights);

describe("a download from the hub", () => {
  let fixture: HubFixture;
  beforeEach(async () => {
    fixture = await hubFixture();
  });
  afterEach(async () => await fixture.close());
  const incomplete = (): string => fixture.inCache("blobs", `${etag}.incomplete`);
  const ranges = (): (string | undefined)[] =>
    fixture.hub.asked.filter(({ server }) => server === "storage").map(({ range }) => range);
  const from = (first: number): string => `bytes=${first}-${weights.length - 1}`;

  /** Answers for the content, so often, with `answer`. */
  function contentTimes(count: number, answer: (request: IncomingMessage, response: ServerResponse) => void): void {
    fixture.hub.intercept = (request, response, server) => {
      if (server !== "storage" || count-- <= 0) return false;
      answer(request, response);
      return true;
    };
  }

  /** Sends up to byte `end` of what was asked for, then breaks the connection. */
  function breakAt(end: number): (request: IncomingMessage, response: ServerResponse) => void {
    return (request, response) => {
      const first = Number(/\d+/.exec(request.headers.range!));
      response.writeHead(206, {
        "Content-Range": `bytes ${first}-${weights.length - 1}/${weights.length}`,
        "Content-Length": weights.length - first,
      });
      response.write(weights.subarray(first, end), () => setTimeout(() => response.destroy(), 20));
    };
  }

  async function putIncomplete(bytes: Uint8Array): Promise<void> {
    await mkdir(fixture.inCache("blobs"), { recursive: true });
    await writeFile(incomplete(), bytes);
  }

  it("goes on where a connection broke", async () => {
    contentTimes(2, breakAt(half));
    expect(await contentOf(await fixture.open().open("model.safetensors"))).deep.equal(weights);
    const [first, second] = ranges();
    expect(first).equal(from(0));
    expect(Number(/\d+/.exec(second!)), "what came before the break is not asked for again").within(1, half);
    expect(await readdir(fixture.inCache("blobs"))).deep.equal([etag]);
  });

  it("may break more often than it may fail, as long as something comes each time", async () => {
    let end = 0;
    contentTimes(6, (request, response) => breakAt((end += 400_000))(request, response));
    expect(await contentOf(await fixture.open().open("model.safetensors"))).deep.equal(weights);
  });

  it("goes on in the next run", async () => {
    contentTimes(99, breakAt(half));
    const error = await engineErrorOf(() => fixture.open().open("model.safetensors"));
    expect(error.code).equal("io");
    const { size } = await stat(incomplete());
    expect(size).within(1, half);
    expect(await readdir(fixture.inCache())).deep.equal(["blobs", "refs"]);
    fixture.hub.intercept = undefined;
    expect(await contentOf(await fixture.open().open("model.safetensors"))).deep.equal(weights);
    expect(ranges().at(-1)).equal(from(size));
  });

  it("keeps what has come when it is stopped", async () => {
    const controller = new AbortController();
    const onEvent = (event: { status: string; loaded?: number }): void => {
      if ((event.loaded ?? 0) > 0) controller.abort();
    };
    const store = fixture.open({ signal: controller.signal, onEvent });
    const error = await engineErrorOf(() => store.open("model.safetensors"));
    expect(error.code).equal("aborted");
    expect((await stat(incomplete())).size).above(0);
  });

  it("takes a whole body from a server that ignores ranges, and drops what it has already", async () => {
    await putIncomplete(weights.subarray(0, half));
    contentTimes(1, (_, response) => response.writeHead(200, { "Content-Length": weights.length }).end(weights));
    expect(await contentOf(await fixture.open().open("model.safetensors"))).deep.equal(weights);
  });

  it("asks for nothing when only the renaming was left to do", async () => {
    await putIncomplete(weights);
    expect(await contentOf(await fixture.open().open("model.safetensors"))).deep.equal(weights);
    expect(ranges()).deep.equal([]);
  });

  it("begins anew where what was left is too long, or is not the beginning of the file", async () => {
    for (const wrong of [new Uint8Array(weights.length + 1), new Uint8Array(half)]) {
      await putIncomplete(wrong);
      expect(await contentOf(await fixture.open().open("model.safetensors"))).deep.equal(weights);
      expect(ranges().at(-1)).equal(from(0));
      await fixture.close();
      fixture = await hubFixture();
    }
  });

  it("does not keep what has another sha256", async () => {
    const damaged = weights.map((byte, i) => (i === 1000 ? byte ^ 1 : byte));
    contentTimes(99, (request, response) => sendFile(request, response, damaged, "s"));
    const error = await engineErrorOf(() => fixture.open().open("model.safetensors"));
    expect([error.code, error.where]).deep.equal(["io", `${id}/model.safetensors`]);
    expect(error.toLine()).match(new RegExp(`its hash differs \\(expected ${etag}, got ${sha256(damaged)}\\)`));
    expect((await stat(incomplete())).size).equal(0);
    expect(await readdir(fixture.inCache())).deep.equal(["blobs", "refs"]);
  });

  it("does not keep a small file that git would call otherwise", async () => {
    fixture.hub.intercept = (request, response) => {
      if (request.method !== "GET") return false;
      sendFile(
        request,
        response,
        config.map((byte) => byte ^ 1),
        "",
      );
      return true;
    };
    const error = await engineErrorOf(() => fixture.open().open("config.json"));
    expect(error.toLine()).match(/config\.json: .*its hash differs/);
  });

  it("names a body that always ends early", async () => {
    contentTimes(99, (_, response) => {
      response.writeHead(206, { "Content-Range": `bytes 0-${weights.length - 1}/${weights.length}` });
      response.end(weights.subarray(0, 10));
    });
    const error = await engineErrorOf(() => fixture.open().open("model.safetensors"));
    expect(error.code).equal("io");
  });

  it("stays with its commit when somebody pushes another file while it is under way", async () => {
    const repository = fixture.hub.repositories.get(id)!;
    contentTimes(1, (request, response) => {
      repository.commits[secondCommit] = { "model.safetensors": weights.slice(5) };
      repository.refs["main"] = secondCommit;
      breakAt(half)(request, response);
    });
    expect(await contentOf(await fixture.open().open("model.safetensors"))).deep.equal(weights);
    expect(fixture.asked()).include(`GET hub ${firstCommit}/model.safetensors ${ranges()[1]}`);
  });

  it("says so when the file itself was replaced while it was under way, and begins anew the next time", async () => {
    const other = weights.map((byte) => byte ^ 255);
    contentTimes(1, (request, response) => {
      fixture.hub.repositories.get(id)!.commits[firstCommit]["model.safetensors"] = other;
      breakAt(half)(request, response);
    });
    const error = await engineErrorOf(() => fixture.open().open("model.safetensors"));
    expect(error.toLine()).match(/the file has changed while it was fetched \(expected .*, got .*\); load it again$/);
    expect(await contentOf(await fixture.open().open("model.safetensors"))).deep.equal(other);
  });

  it("says so when the storage sends a part of another file", async () => {
    contentTimes(99, (_, response) => response.writeHead(206, { "Content-Range": "bytes 0-9/10" }).end("0123456789"));
    const error = await engineErrorOf(() => fixture.open().open("model.safetensors"));
    expect(error.toLine()).match(/the file has changed while it was fetched .*got 10 bytes/);
  });

  it("fetches an empty file", async () => {
    fixture.hub.repositories.get(id)!.commits[firstCommit]["empty.txt"] = new Uint8Array(0);
    expect((await contentOf(await fixture.open().open("empty.txt")))?.length).equal(0);
  });

  it("reports a full disk", async function () {
    if (process.platform !== "linux") return this.skip();
    await mkdir(fixture.inCache("blobs"), { recursive: true });
    await symlink("/dev/full", incomplete());
    const error = await engineErrorOf(() => fixture.open().open("model.safetensors"));
    expect(error.code).equal("io");
    expect(error.toLine()).match(
      /incomplete: the hub's cache cannot keep the file: the disk is full; make room, .*HF_HOME.*goes on from there$/,
    );
  });

  it("reports a cache that cannot be written", async () => {
    await writeFile(fixture.inCache(), "a file where the folder would be");
    const error = await engineErrorOf(() => fixture.open().open("config.json"));
    expect([error.code, error.where]).deep.equal(["io", fixture.inCache("blobs")]);
    expect(error.fix).match(/HF_HOME or HF_HUB_CACHE/);
    expect(await readFile(fixture.inCache(), "utf8")).match(/^a file/);
    const locks = path.join(fixture.cacheDir, ".locks");
    await rm(locks, { recursive: true });
    await writeFile(locks, "a file where the folder would be");
    const locked = await engineErrorOf(() => fixture.open().open("config.json"));
    expect([locked.code, path.dirname(locked.where!)]).deep.equal(["io", locks]);
  });
});
