import { expect } from "chai";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { HubClient, type HubFile } from "../../../../checkpoint/hub/client.ts";
import { downloadBlob } from "../../../../checkpoint/node/hub/download.ts";
import { FetchStub } from "../../../support/hub/fetch_stub.ts";
import { engineErrorOf } from "../../../support/rejection.ts";

const content = Uint8Array.from({ length: 20 }, (_, i) => i + 1);
const sha256 = createHash("sha256").update(content).digest("hex");
const gitHash = createHash("sha1").update("blob 20\0").update(content).digest("hex");
const [url, pinnedUrl] = ["https://hub.example/a/b/resolve/main/f", "https://hub.example/a/b/resolve/1/f"];
const client = (tries = 2): HubClient =>
  new HubClient({ id: "a/b", revision: "main", endpoint: "https://hub.example" }, { retries: { tries, firstWait: 0 } });
const file = (fields: Partial<HubFile> = {}): HubFile => ({
  path: "f",
  etag: sha256,
  size: 20,
  url,
  pinnedUrl,
  ...fields,
});

/** Bytes from `first` to `end` of a file of 20, as a server sends a part. */
const part = (first: number, end = 20, headers: Record<string, string> = {}, bytes = content): Response =>
  new Response(bytes.slice(first, end), {
    status: 206,
    headers: { "Content-Range": `bytes ${first}-${end - 1}/20`, ...headers },
  });
const absent = (): Response => new Response(null, { status: 404, headers: { "X-Error-Code": "EntryNotFound" } });

describe("downloadBlob", () => {
  const stub = new FetchStub();
  let folder: string;
  let counts: number[];
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "bark-blob-"));
    counts = [];
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const blob = (): string => path.join(folder, "blobs", "x");
  const fetched = async (fields: Partial<HubFile> = {}, tries?: number): Promise<Uint8Array> => {
    await downloadBlob(client(tries), file(fields), blob(), (count) => counts.push(count));
    expect(readdirSync(path.dirname(blob()))).deep.equal(["x"]);
    return new Uint8Array(readFileSync(blob()));
  };
  const left = async (bytes: Uint8Array): Promise<void> => {
    stub.answers = [absent()];
    await engineErrorOf(() => fetched());
    stub.asked = [];
    counts = [];
    writeFileSync(`${blob()}.incomplete`, bytes);
  };
  const asked = (): string[] => stub.asked.map(({ url, headers }) => `${url} ${headers["Range"]}`);

  it("fetches a file, and tells how much is there", async () => {
    for (const etag of [sha256, gitHash, "a mirror's"]) {
      stub.answers = [part(0)];
      expect(await fetched({ etag })).deep.equal(content);
    }
    expect(counts).deep.equal([0, 20, 0, 20, 0, 20]);
    expect(asked()).deep.equal(new Array(3).fill(`${url} bytes=0-19`));
  });

  it("goes on where the body ended, as often as something comes", async () => {
    stub.answers = [part(0, 4), part(4, 8), part(8, 9), part(9, 20)];
    expect(await fetched({}, 2)).deep.equal(content);
    expect(asked().map((line) => line.split("=")[1])).deep.equal(["0-19", "4-19", "8-19", "9-19"]);
    expect(counts).deep.equal([0, 4, 8, 9, 20]);
  });

  it("gives up where nothing more comes", async () => {
    stub.answers = [part(0, 4), part(4, 4), part(4, 4)];
    const error = await engineErrorOf(() => fetched());
    expect(error).include({
      code: "io",
      where: url,
      problem: "the file ended early",
      expected: "20 bytes",
      actual: "4",
    });
    expect([...readFileSync(`${blob()}.incomplete`)]).deep.equal([1, 2, 3, 4]);
  });

  it("takes of a body that is too long what belongs to it", async () => {
    stub.answers = [
      new Response(Uint8Array.of(...content, 99), { status: 206, headers: { "Content-Range": "bytes 0-19/20" } }),
    ];
    expect(await fetched()).deep.equal(content);
  });

  it("takes what belongs to it of a body without an end, and of what goes on behind a part that was left", async () => {
    let next = 0;
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void =>
      controller.enqueue(Uint8Array.from({ length: 5 }, () => ++next));
    const headers = { "Content-Range": "bytes 0-19/20" };
    stub.answers = [new Response(new ReadableStream({ pull }), { status: 206, headers })];
    expect(await fetched()).deep.equal(content);
    await left(content.slice(0, 7));
    const more = Uint8Array.of(...content.slice(7), 98, 99);
    stub.answers = [new Response(more, { status: 206, headers: { "Content-Range": "bytes 7-19/20" } })];
    expect(await fetched()).deep.equal(content);
  });

  it("holds against a hash what the hub names so, and nothing against another etag", async () => {
    const other = content.map((byte) => byte ^ 1);
    stub.answers = [part(0, 20, {}, other)];
    expect((await engineErrorOf(() => fetched({ etag: gitHash }))).expected).equal(gitHash);
    for (const etag of [`0${sha256}`, `${sha256}0`, `0${gitHash}`, `${gitHash}0`, "a", "!".repeat(40)]) {
      stub.answers = [part(0, 20, {}, other)];
      expect(await fetched({ etag })).deep.equal(other);
    }
    await left(content.slice(0, 7));
    stub.answers = [part(7)];
    expect(await fetched({ etag: "m" })).deep.equal(content);
    await left(new Uint8Array(21));
    stub.answers = [part(0)];
    expect(await fetched({ etag: "m" })).deep.equal(content);
  });

  it("does not count as progress what it has already", async () => {
    await left(content.slice(0, 7));
    const again = (): Response => new Response(content.slice(0, 7), { headers: { "Content-Length": "20" } });
    stub.answers = [again(), again()];
    expect((await engineErrorOf(() => fetched())).problem).equal("the file ended early");
  });

  it("drops of a whole body what it has", async () => {
    await left(content.slice(0, 7));
    stub.answers = [new Response(content, { headers: { "Content-Length": "20" } })];
    expect(await fetched()).deep.equal(content);
    expect([asked(), counts]).deep.equal([[`${url} bytes=7-19`], [7, 20]]);
    await left(content.slice(0, 7));
    const pieces = [content.slice(0, 3), content.slice(3, 9), content.slice(9)];
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => (pieces.length > 0 ? controller.enqueue(pieces.shift()!) : controller.close()),
    });
    stub.answers = [new Response(body)];
    expect(await fetched()).deep.equal(content);
    expect(counts).deep.equal([7, 7, 9, 20]);
  });

  it("asks for nothing where all is left, or the file is empty", async () => {
    await left(content);
    expect(await fetched()).deep.equal(content);
    const etag = createHash("sha1").update("blob 0\0").digest("hex");
    expect([...(await fetched({ size: 0, etag }))]).deep.equal([]);
    expect([asked(), counts]).deep.equal([[], [20, 0]]);
  });

  it("begins anew where what is left is too long or wrong, once", async () => {
    for (const wrong of [new Uint8Array(21), new Uint8Array(7)]) {
      await left(wrong);
      stub.answers = wrong.length > 20 ? [part(0)] : [part(7), part(0)];
      expect(await fetched()).deep.equal(content);
    }
    await left(new Uint8Array(7));
    const other = content.map((byte) => byte ^ 1);
    stub.answers = [part(7), part(0, 20, {}, other)];
    const error = await engineErrorOf(() => fetched());
    const actual = createHash("sha256").update(other).digest("hex");
    expect(error).include({ code: "io", where: "a/b/f", expected: sha256, actual });
    expect(readFileSync(`${blob()}.incomplete`).length).equal(0);
    stub.answers = [part(0, 20, {}, other)];
    expect((await engineErrorOf(() => fetched())).actual, "not tried again").equal(actual);
  });

  for (const [name, changed, shown] of [
    [
      "a part of a file of another size",
      () => new Response(content, { status: 206, headers: { "Content-Range": "bytes 0-19/21" } }),
      "21 bytes, ETag none",
    ],
    ["another part", () => part(1), "20 bytes, ETag none"],
    [
      "no such part",
      () => new Response(null, { status: 416, headers: { "Content-Range": "bytes */3" } }),
      "3 bytes, ETag none",
    ],
    [
      "no such part of a file of this size",
      () => new Response(null, { status: 416, headers: { "Content-Range": "bytes */20" } }),
      "20 bytes, ETag none",
    ],
    [
      "a whole body of another size",
      () => new Response(content, { headers: { "Content-Length": "19" } }),
      "19 bytes, ETag none",
    ],
    [
      "another etag of a large file",
      () => part(0, 20, { "X-Linked-Etag": '"other"', ETag: '"s"' }),
      "20 bytes, ETag other",
    ],
    ["a part that is not told", () => new Response(content, { status: 206 }), "? bytes, ETag none"],
  ] as const)
    it(`asks at the commit where the branch gives ${name}, and says so if that does as well`, async () => {
      stub.answers = [changed(), part(0)];
      expect(await fetched()).deep.equal(content);
      expect(asked()).deep.equal([`${url} bytes=0-19`, `${pinnedUrl} bytes=0-19`]);
      expect(stub.asked[0].signal.aborted, "what is not wanted is not left open").equal(true);
      stub.answers = [changed(), changed(), changed()];
      const error = await engineErrorOf(() => fetched({}, 3));
      expect(stub.answers, "once at the commit").have.length(1);
      expect(error).include({
        ...{ code: "io", where: pinnedUrl, problem: "the file has changed while it was fetched", fix: "load it again" },
        ...{ expected: `20 bytes, ETag ${sha256}`, actual: shown },
      });
      for (const answer of [absent(), new Response(null, { status: 403 })]) {
        stub.answers = [changed(), answer];
        expect(await engineErrorOf(() => fetched())).include({ code: "io", where: url, actual: shown });
      }
    });

  it("takes parts of one etag alone, but the hub's own beside the server's", async () => {
    const linked = { "X-Linked-Etag": `W/"${sha256}"` };
    stub.answers = [
      part(0, 4, { ETag: '"a"', ...linked }),
      part(4, 8, { ETag: '"a"' }),
      part(8, 20, { ETag: '"b"' }),
      part(8, 20, { ETag: '"c"' }),
    ];
    expect(await fetched({}, 3)).deep.equal(content);
    expect(asked().at(-1)).equal(`${pinnedUrl} bytes=8-19`);
  });

  it("says so where the file is gone", async () => {
    stub.answers = [absent()];
    expect(await engineErrorOf(() => fetched())).include({ code: "io", where: url, actual: "none" });
    stub.answers = [new Response(null, { status: 403 })];
    expect((await engineErrorOf(() => fetched())).code).equal("bad-input");
  });

  it("takes it well that another process was faster, and tells what the disk says otherwise", async () => {
    stub.answers = [
      async () => {
        rmSync(`${blob()}.incomplete`);
        writeFileSync(blob(), content);
        return part(0);
      },
      async () => {
        rmSync(`${blob()}.incomplete`);
        writeFileSync(blob(), "short");
        return part(0);
      },
    ];
    expect(await fetched()).deep.equal(content);
    expect(await engineErrorOf(() => fetched())).include({ code: "io", where: blob() });
    const error = await engineErrorOf(() => downloadBlob(client(), file(), path.join(blob(), "y"), () => undefined));
    expect(error).include({ code: "io", where: blob() });
    rmSync(blob());
    stub.answers = [
      async () => {
        rmSync(`${blob()}.incomplete`);
        return part(0);
      },
    ];
    expect(await engineErrorOf(() => fetched())).include({ code: "io", where: blob() });
  });
});
