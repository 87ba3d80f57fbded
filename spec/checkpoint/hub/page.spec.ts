import { expect } from "chai";
import type { HubEvent } from "../../../checkpoint/hub/options.ts";
import { parseRepository } from "../../../checkpoint/hub/repository.ts";
import { PageHubStore, type HubStoreOptions } from "../../../checkpoint/web/page_hub_store.ts";
import type { PartCache } from "../../../checkpoint/web/part_cache.ts";
import { fetchFailed, FetchStub, type AskedFetch } from "../../support/hub/fetch_stub.ts";
import { engineErrorOf } from "../../support/rejection.ts";

const commit = "1".repeat(40);
const endpoint = "https://hub.example";
const at = (file: string, revision = commit): string => `${endpoint}/a/b/resolve/${revision}/${file}`;
const content = Uint8Array.from({ length: 25 }, (_, i) => i);

class Parts implements PartCache {
  readonly entries = new Map<string, Blob>();
  /** Keys that were asked for, in their order. */
  readonly got: string[] = [];

  async get(url: string, part: string): Promise<Blob | undefined> {
    this.got.push(`${url} ${part}`);
    return this.entries.get(`${url} ${part}`);
  }

  async put(url: string, part: string, content: Blob): Promise<void> {
    this.entries.set(`${url} ${part}`, content);
  }
}

/** Answers by range for a file of these bytes. */
const ranged =
  (bytes: Uint8Array<ArrayBuffer>) =>
  async ({ headers }: AskedFetch): Promise<Response> => {
    const [first, last] = headers["Range"].match(/\d+/g)!.map(Number);
    if (first >= bytes.length) return new Response(null, { status: 416 });
    const part = bytes.slice(first, last + 1);
    const range = `bytes ${first}-${first + part.length - 1}/${bytes.length}`;
    return new Response(part, { status: 206, headers: { "Content-Range": range } });
  };
const head = (hash = commit): Response => new Response(null, { headers: { "X-Repo-Commit": hash } });
const absent = (): Response => new Response(null, { status: 404, headers: { "X-Error-Code": "EntryNotFound" } });

describe("a repository of the hub, in a page", () => {
  const stub = new FetchStub();
  let parts: Parts;
  beforeEach(() => {
    parts = new Parts();
  });
  const open = (options: Partial<HubStoreOptions> = {}, revision = commit): PageHubStore => {
    const settings = { endpoint, parts, partBytes: 10, retries: { tries: 3, firstWait: 0 }, ...options };
    return new PageHubStore(parseRepository(`a/b@${revision}`, settings)!, settings);
  };
  const asked = (): string[] => stub.asked.map(({ url, headers }) => `${url} ${headers["Range"]}`);

  it("reads a file by the parts that it needs, and keeps each", async () => {
    stub.answers = Array.from({ length: 3 }, () => ranged(content));
    const source = (await open().open("./x//f.bin"))!;
    const url = at("x/f.bin");
    expect([source.name, source.size]).deep.equal([url, 25]);
    expect(await source.read(0, 25)).deep.equal(content);
    for (const [offset, length] of [
      [0, 10],
      [9, 2],
      [10, 10],
      [24, 1],
      [7, 15],
      [25, 0],
    ])
      expect(await source.read(offset, length)).deep.equal(content.slice(offset, offset + length));
    expect(asked()).deep.equal([`${url} bytes=0-9`, `${url} bytes=10-19`, `${url} bytes=20-24`]);
    expect([...parts.entries.keys()]).deep.equal(["10-0", "size", "10-1", "10-2"].map((part) => `${url} ${part}`));
    expect(await parts.entries.get(`${url} size`)?.text()).equal("25");
    expect((await engineErrorOf(() => source.read(20, 6))).code).equal("bad-input");
    await source.close();
  });

  it("asks nothing of what is cached, whole and in the size that it should have", async () => {
    stub.answers = Array.from({ length: 3 }, () => ranged(content));
    await (await open().open("f"))!.read(0, 25);
    const source = (await open().open("f"))!;
    expect(await source.read(0, 25)).deep.equal(content);
    expect(stub.asked).have.length(3);
    stub.answers = [ranged(content), ranged(content)];
    parts.entries.set(`${at("f")} 10-0`, new Blob(["short"]));
    parts.entries.set(`${at("f")} 10-2`, new Blob(["short, or long"]));
    expect(await (await open().open("f"))!.read(0, 25)).deep.equal(content);
    expect(asked().slice(3)).deep.equal([`${at("f")} bytes=0-9`, `${at("f")} bytes=20-24`]);
    parts.entries.set(`${at("f")} size`, new Blob(["many"]));
    stub.answers = [ranged(content)];
    expect((await open().open("f"))?.size).equal(25);
  });

  it("fetches each part once anew where that is forced, and keeps it", async () => {
    stub.answers = Array.from({ length: 3 }, () => ranged(content));
    await (await open().open("f"))!.read(0, 25);
    const changed = content.map((value) => value + 1);
    stub.answers = Array.from({ length: 3 }, () => ranged(changed));
    const source = (await open({ forceDownload: true }).open("f"))!;
    for (let i = 0; i < 2; i++) expect(await source.read(0, 25)).deep.equal(changed);
    expect(stub.asked).have.length(6);
    expect(await (await open().open("f"))!.read(0, 25)).deep.equal(changed);
    const error = await engineErrorOf(() => open({ forceDownload: true, localFilesOnly: true }));
    expect(error.code).equal("usage");
  });

  it("looks into the cache once for a part that is read over and over", async () => {
    stub.answers = [ranged(content), ranged(content)];
    const source = (await open().open("f"))!;
    const before = parts.got.length;
    for (let i = 0; i < 5; i++) await source.read(i, 5);
    expect(parts.got.length).equal(before);
    for (let i = 10; i < 15; i++) await source.read(i, 5);
    expect(parts.got.slice(before)).deep.equal([`${at("f")} 10-1`]);
  });

  it("reads an empty file, one of less than a part, and no file where there is none", async () => {
    stub.answers = [ranged(new Uint8Array(0)), ranged(content.slice(0, 3)), absent()];
    const empty = (await open().open("empty"))!;
    expect([empty.size, await empty.read(0, 0)]).deep.equal([0, new Uint8Array(0)]);
    const short = (await open().open("short"))!;
    expect([short.size, await short.read(0, 3)]).deep.equal([3, content.slice(0, 3)]);
    expect(await open().open("none")).equal(undefined);
    expect([...parts.entries.keys()]).not.include(`${at("none")} size`);
    expect((await open().open("empty"))?.size, "from the cache").equal(0);
  });

  it("takes its part of a body that is sent whole", async () => {
    stub.answers = Array.from({ length: 2 }, () => new Response(content));
    const source = (await open().open("f"))!;
    expect([source.size, await source.read(8, 5)]).deep.equal([25, content.slice(8, 13)]);
  });

  it("goes on within a part where the connection breaks, as often as it gets further", async () => {
    /** Breaks after `count` bytes of what it was asked for. */
    const broken =
      (count: number) =>
      async (request: AskedFetch): Promise<Response> => {
        const { status, headers, body } = await ranged(content)(request);
        const whole = new Uint8Array(await new Response(body).arrayBuffer());
        let pulls = 0;
        const stream = new ReadableStream({
          pull: (controller) =>
            pulls++ === 0 && count > 0
              ? controller.enqueue(whole.slice(0, count))
              : controller.error(new Error("reset")),
        });
        return new Response(stream, { status, headers });
      };
    stub.answers = [
      broken(4),
      broken(3),
      broken(1),
      broken(0),
      broken(1),
      ranged(content),
      broken(10),
      ranged(content),
    ];
    const source = (await open().open("f"))!;
    expect(await source.read(0, 25)).deep.equal(content);
    expect(asked().map((line) => line.split(" bytes=")[1])).deep.equal(
      ["0-9", "4-9", "7-9", "8-9", "8-9", "9-9", "10-19", "20-24"],
      "the last break came behind the last byte of its part",
    );
  });

  for (const [name, second] of [
    ["is of a file of another size", ranged(content.slice(0, 24))],
    [
      "ends early",
      () => new Response(content.slice(10, 15), { status: 206, headers: { "Content-Range": "bytes 10-19/25" } }),
    ],
    ["says nothing of its range", () => new Response(content.slice(10, 20), { status: 206 })],
    ["is not there any more, though its beginning is", () => new Response(null, { status: 416 })],
  ] as const)
    it(`tries again, but not for ever, where the part that comes ${name}`, async () => {
      const again = async (request: AskedFetch): Promise<Response> => await second(request);
      stub.answers = [ranged(content), again, again, ranged(content)];
      const source = (await open().open("f"))!;
      expect(await source.read(10, 5)).deep.equal(content.slice(10, 15));
      stub.answers = [again, again, again];
      parts.entries.delete(`${at("f")} 10-1`);
      stub.answers.unshift(ranged(content));
      parts.entries.delete(`${at("f")} 10-0`);
      const error = await engineErrorOf(async () => await (await open().open("f"))!.read(10, 5));
      expect([error.code, error.where, error.expected, error.fix]).deep.equal([
        ...["io", at("f"), "bytes 10-19/25", "load it again"],
      ]);
      expect(error.actual).match(/^(0|5|10) bytes of (24|25|NaN)$/);
    });

  it("takes a part that comes byte by byte, and of one without an end hardly more than it asked for", async () => {
    let pulled = 0;
    const endless = async (): Promise<Response> => {
      const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void =>
        controller.enqueue(Uint8Array.of(10 + (pulled++ % 10)));
      return new Response(new ReadableStream({ pull }), {
        status: 206,
        headers: { "Content-Range": "bytes 10-19/25" },
      });
    };
    const bytewise = async (asked: AskedFetch): Promise<Response> => {
      const { status, headers, body } = await ranged(content)(asked);
      const split = (chunk: Uint8Array, controller: TransformStreamDefaultController<Uint8Array>): void => {
        for (const byte of chunk) controller.enqueue(Uint8Array.of(byte));
      };
      return new Response(body!.pipeThrough(new TransformStream({ transform: split })), { status, headers });
    };
    stub.answers = [bytewise, bytewise];
    expect(await (await open().open("f"))!.read(0, 20)).deep.equal(content.slice(0, 20));
    parts.entries.delete(`${at("f")} 10-1`);
    stub.answers = [endless, endless, endless];
    expect((await engineErrorOf(async () => await (await open().open("f"))!.read(10, 1))).code).equal("io");
    expect(pulled).within(33, 45);
  });

  it("says what it asked for where the first part is wrong", async () => {
    stub.answers = Array.from({ length: 3 }, () => new Response("x", { status: 206 }));
    expect((await engineErrorOf(() => open().open("f"))).expected).equal("bytes 0-9/?");
  });

  it("says so where the file goes while it is read", async () => {
    stub.answers = [ranged(content), absent()];
    const source = (await open().open("f"))!;
    const error = await engineErrorOf(() => source.read(10, 1));
    expect([error.code, error.where, error.fix]).deep.equal(["io", at("f"), "load it again"]);
  });

  it("refuses a page in the place of a file, and a file of git's large ones", async () => {
    for (const text of ["<!doctype html>", "version https://git-lfs.github.com/spec/v1"]) {
      stub.answers = [ranged(new TextEncoder().encode(text))];
      expect((await engineErrorOf(() => open({ partBytes: 300 }).open("f"))).where).equal(at("f"));
      expect(parts.entries.size).equal(0);
    }
    const late = new TextEncoder().encode(`0123456789<html>${"x".repeat(20)}`);
    stub.answers = [ranged(late), ranged(late)];
    expect(await (await open().open("f"))!.read(10, 6)).deep.equal(late.slice(10, 16));
  });

  it("tells how far it is, by what is there", async () => {
    const events: HubEvent[] = [];
    const shown = (event: HubEvent): (string | number)[] =>
      event.status === "progress" ? [event.loaded] : event.status === "progress_total" ? [] : [event.status];
    const loaded = (): (string | number)[] => events.splice(0).flatMap(shown);
    stub.answers = Array.from({ length: 3 }, () => ranged(content));
    const source = (await open({ onEvent: (event) => events.push(event) }).open("f"))!;
    expect(loaded()).deep.equal(["initiate", "download", 0]);
    await source.read(20, 5);
    await source.read(0, 10);
    expect(loaded()).deep.equal([]);
    await source.read(0, 25);
    await source.read(0, 25);
    expect(loaded()).deep.equal([25, "done"]);
  });

  describe("at a branch", () => {
    const branch = at("", "main");

    it("is of the commit that the hub names, asked for once, which the cache notes", async () => {
      stub.answers = [head(), absent(), absent()];
      const store = open({}, "main");
      expect(store.name).equal("a/b");
      await Promise.all([store.open("f"), store.open("g")]);
      expect(asked()).deep.equal([
        `${at("config.json", "main")} undefined`,
        ...["f", "g"].map((file) => `${at(file)} bytes=0-9`),
      ]);
      expect(await parts.entries.get(`${branch} commit`)?.text()).equal(commit);
      expect(parts.got.filter((key) => key.endsWith("commit"))).deep.equal([`${branch} commit`]);
    });

    it("looks for no commit where the revision is one", async () => {
      stub.answers = [absent()];
      await open().open("f");
      expect(parts.got).deep.equal([`${at("f")} size`]);
    });

    it("asks again for the commit where the hub is out of order, if nothing is cached", async () => {
      stub.answers = [fetchFailed("ECONNRESET"), fetchFailed("ECONNRESET"), head(), absent()];
      expect(await open({}, "main").open("f")).equal(undefined);
      stub.answers = [new Response(null, { status: 403 })];
      expect((await engineErrorOf(() => open({}, "main").open("f"))).code).equal("bad-input");
      parts = new Parts();
      stub.answers = [fetchFailed("ENOTFOUND")];
      expect((await engineErrorOf(() => open({}, "main").open("f"))).problem).match(/^cannot be reached/);
    });

    it("is of the cache where the hub cannot be reached, which it says once", async () => {
      stub.answers = [head(), ranged(content)];
      await open({}, "main").open("f");
      const notices: string[] = [];
      stub.answers = [fetchFailed("ECONNRESET", "reset; by peer")];
      const store = open({ onNotice: (line) => notices.push(line) }, "main");
      const source = (await store.open("f"))!;
      expect(await source.read(0, 10)).deep.equal(content.slice(0, 10));
      expect(await store.open("g")).equal(undefined);
      expect(notices).deep.equal([`${endpoint}: cannot be reached: reset; a/b is taken from the browser's cache`]);
      const error = await engineErrorOf(() => source.read(10, 1));
      expect([error.code, error.where]).deep.equal(["bad-input", at("f")]);
      expect(error.fix).match(/network access/);
      stub.answers = [fetchFailed("ECONNRESET")];
      expect((await open({}, "main").open("f"))?.size, "told or not").equal(25);
    });

    it("is not of the cache where the hub refuses, or the caller stops it", async () => {
      parts.entries.set(`${branch} commit`, new Blob([commit]));
      stub.answers = [new Response(null, { status: 403 })];
      expect((await engineErrorOf(() => open({}, "main").open("f"))).code).equal("bad-input");
      expect((await engineErrorOf(() => open({ signal: AbortSignal.abort() }, "main").open("f"))).code).equal(
        "aborted",
      );
    });

    it("is of the cache alone with local_files_only", async () => {
      const error = await engineErrorOf(() => open({ localFilesOnly: true }, "main").open("f"));
      expect([error.code, error.where]).deep.equal(["bad-input", "a/b"]);
      expect(error.toLine()).match(/revision main is not in the browser's cache; .*without local_files_only/);
      parts.entries.set(`${branch} commit`, new Blob([commit]));
      expect(await open({ localFilesOnly: true }, "main").open("f")).equal(undefined);
      expect(stub.asked).deep.equal([]);
    });
  });

  it("sends the token that the options give, cleaned, and none for false", async () => {
    for (const [token, sent] of [
      [" t\n", "Bearer t"],
      [false, undefined],
      [undefined, undefined],
    ] as const) {
      stub.answers = [absent()];
      await open({ token }).open("f");
      expect(stub.asked.at(-1)?.headers["Authorization"]).equal(sent);
    }
    const error = await engineErrorOf(() => open({ token: "s3c ret" }));
    expect([error.code, error.where]).deep.equal(["usage", "token"]);
  });

  it("leaves redirections to the browser, and reads parts of 32 MiB unless told", async () => {
    stub.answers = [absent()];
    await open({ partBytes: undefined as never }).open("f");
    expect([stub.asked[0].redirect, stub.asked[0].headers]).deep.equal(["follow", { Range: "bytes=0-33554431" }]);
  });

  it("refuses a path out of the repository", async () => {
    expect((await engineErrorOf(() => open().open("../x"))).where).equal("a/b");
  });
});
