import { expect } from "chai";
import { chmod, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { EngineError } from "../../engine/errors.ts";
import { FolderStore } from "../../server/queue/stores/folder.ts";
import { openStore } from "../../server/queue/stores/open.ts";
import { S3Store } from "../../server/queue/stores/s3.ts";
import type { BookStore } from "../../speech/book/store.ts";
import { S3Server } from "./s3_server.ts";

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const textOf = (content: Uint8Array | undefined): string | undefined => content && new TextDecoder().decode(content);
async function refusal(work: Promise<unknown>): Promise<EngineError> {
  return await work.then(
    () => expect.fail("was not refused"),
    (error: EngineError) => error,
  );
}

describe("the store of a farm", function () {
  this.timeout(30_000);
  let folder: string;
  let s3: S3Server;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "bark-store-"));
    s3 = await S3Server.start();
  });
  after(async () => {
    await rm(folder, { recursive: true });
    await s3.close();
  });
  afterEach(() => (s3.fault = () => undefined));

  const kinds: Record<string, () => Promise<BookStore>> = {
    "a folder": async () => new FolderStore(path.join(folder, "books")),
    "an S3 bucket": () => S3Store.open("s3://books/some where", s3.env),
  };
  for (const [name, open] of Object.entries(kinds))
    it(`${name} keeps whole files by name`, async () => {
      const store = await open();
      const file = "talk.book/chapters/01 A & Ω+(x)'!*.wav";
      expect(await store.read(file)).equal(undefined);
      await store.write(file, bytes("one"));
      expect(textOf(await store.read(file))).equal("one");
      await store.write(file, bytes("two"));
      expect(await store.create(file, bytes("three"))).equal(false);
      expect(textOf(await store.read(file))).equal("two");
      // Of many that create a file at once, one does.
      const all = await Promise.all(["a", "b", "c", "d"].map((text) => store.create("new", bytes(text))));
      expect(all.filter((isFirst) => isFirst)).length(1);
      expect(textOf(await store.read("new"))).equal("abcd"[all.indexOf(true)]);
      await store.remove(file);
      await store.remove(file);
      expect(await store.read(file)).equal(undefined);
      await store.write("empty", bytes(""));
      expect((await store.read("empty"))?.length).equal(0);
    });

  it("writes what comes in parts to S3 in one piece, or in several beyond 8 MiB", async () => {
    const store = await S3Store.open("s3://books", s3.env);
    const parts = async function* (count: number) {
      for (let i = 0; i < count; i++) yield new Uint8Array(3 * 2 ** 20).fill(i);
    };
    await store.write("short", parts(2));
    expect((await store.read("short"))!.length).equal(6 * 2 ** 20);
    expect(s3.requests.filter((line) => line.includes("uploads"))).length(0);
    await store.write("long", parts(7));
    const long = (await store.read("long"))!;
    expect(long.length).equal(21 * 2 ** 20);
    expect([0, 1, 2, 3, 4, 5, 6].every((i) => long[(i * 3 + 1) * 2 ** 20] === i)).equal(true);
    expect(s3.requests.filter((line) => line.includes("partNumber"))).length(3);
    const open = s3.openUploads;
    const broken = async function* () {
      yield* parts(6);
      throw new Error("no more");
    };
    expect((await refusal(store.write("broken", broken()))).message).equal("no more");
    expect(s3.openUploads).equal(open);
    expect(await store.read("broken")).equal(undefined);
  });

  it("takes a store without conditional writes, and one that fails for a moment", async () => {
    const store = await S3Store.open("s3://books", s3.env);
    let count = 0;
    s3.fault = (method) => (method === "PUT" && count++ === 0 ? [501, "NotImplemented"] : undefined);
    expect(await store.create("plain", bytes("x"))).equal(true);
    count = 0;
    s3.fault = () => (count++ < 2 ? [503, "SlowDown"] : undefined);
    expect(textOf(await store.read("plain"))).equal("x");
  });

  it("refuses in one line what the store refuses, without the key", async () => {
    const wrong = { ...s3.env, AWS_SECRET_ACCESS_KEY: "hunter2" };
    const rows: [() => Promise<unknown>, string, RegExp][] = [
      [() => S3Store.open("s3://books", {}), "usage", /s3:\/\/books: needs keys; set AWS_ACCESS_KEY_ID/],
      [() => S3Store.open("s3://B!", s3.env), "usage", /is no address of a bucket/],
      [
        () => S3Store.open("s3://books", wrong).then((store) => store.read("a")),
        "bad-input",
        /books\/a: the secret key is not/,
      ],
      [() => S3Store.open("s3://other", s3.env).then((store) => store.read("a")), "bad-input", /no such bucket/],
      [() => S3Store.open("s3://other", s3.env).then((store) => store.write("a", bytes("x"))), "io", /no such bucket/],
      [() => openStore("ftp://books"), "usage", /no such kind of store/],
    ];
    for (const [work, code, message] of rows) {
      const error = await refusal(work());
      expect(error.code, error.message).equal(code);
      expect(error.message).match(message).not.include("hunter2");
    }
    s3.fault = (method) => (method === "PUT" ? [403, "AccessDenied"] : undefined);
    const store = await S3Store.open("s3://books", s3.env);
    expect((await refusal(store.write("a", bytes("x")))).message).match(/no permission in this bucket/);
    s3.fault = () => [400, "XMinioStorageFull"];
    expect((await refusal(store.write("a", bytes("x")))).message).match(/the store is full/);
  });

  it("is known by its mark on every machine", async () => {
    const [first, again] = [await openStore(path.join(folder, "one")), await openStore(path.join(folder, "one"))];
    expect(first.id).equal(again.id);
    expect((await openStore(path.join(folder, "two"))).id).not.equal(first.id);
    expect(await readdir(path.join(folder, "one"))).deep.equal(["farm.json"]);
  });

  it("is refused where it cannot be written", async function () {
    if (process.getuid?.() === 0) this.skip(); // Root may write anywhere.
    await mkdir(path.join(folder, "locked"));
    await chmod(path.join(folder, "locked"), 0o555);
    expect((await refusal(openStore(path.join(folder, "locked")))).message).match(/no permission/);
  });
});
