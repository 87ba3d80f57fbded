import { expect } from "chai";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { HubCache, placeLink } from "../../../../checkpoint/node/hub/cache.ts";

const commit = "1".repeat(40);

describe("HubCache", () => {
  let root: string;
  let cache: HubCache;
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), "bark-cache-"));
    cache = new HubCache(root, "a/b");
  });
  afterEach(() => rmSync(root, { recursive: true }));
  const inCache = (...parts: string[]): string => path.join(root, "models--a--b", ...parts);
  function put(text: string, ...parts: string[]): string {
    mkdirSync(path.dirname(inCache(...parts)), { recursive: true });
    writeFileSync(inCache(...parts), text);
    return inCache(...parts);
  }

  it("has a place for content and its lock", () => {
    expect(cache.blob("etag")).equal(inCache("blobs", "etag"));
    expect(cache.lock("etag")).equal(path.join(root, ".locks", "models--a--b", "etag.bark.lock"));
    expect(cache.root).equal(root);
  });

  it("knows a revision's commit: itself, or what was noted, if that can be a name", async () => {
    expect(await cache.commitOf(commit)).equal(commit);
    expect(await cache.commitOf("main")).equal(undefined);
    for (const [text, expected] of [
      [` ${commit}\n`, commit],
      ["v1.0-x", "v1.0-x"],
      ["", undefined],
      ["../x", undefined],
      ["a/b", undefined],
      [".x", undefined],
    ] as const) {
      put(text, "refs", "refs", "pr", "1");
      expect(await cache.commitOf("refs/pr/1"), text).equal(expected);
    }
  });

  it("notes a commit that is new, and touches nothing otherwise", async () => {
    await cache.note("refs/pr/1", commit);
    const ref = inCache("refs", "refs", "pr", "1");
    expect(readFileSync(ref, "utf8")).equal(commit);
    const then = new Date(1e12);
    utimesSync(ref, then, then);
    await cache.note("refs/pr/1", commit);
    expect(statSync(ref).mtimeMs).equal(1e12);
    await cache.note("refs/pr/1", "2".repeat(40));
    expect(readFileSync(ref, "utf8")).equal("2".repeat(40));
    await cache.note("v1", "v1");
    await cache.note(commit, commit);
    expect(readdirSync(inCache("refs"))).deep.equal(["refs"]);
  });

  it("finds files of a commit, and no folders", async () => {
    expect([await cache.hasSnapshot(commit), await cache.find(commit, "f")]).deep.equal([false, undefined]);
    const file = put("x", "snapshots", commit, "folder", "f");
    expect(await cache.find(commit, "folder/f")).equal(file);
    expect([await cache.hasSnapshot(commit), await cache.find(commit, "folder")]).deep.equal([true, undefined]);
    put("x", "snapshots", "2");
    expect(await cache.hasSnapshot("2")).equal(false);
  });

  it("notes files that a commit does not have", async () => {
    expect(await cache.isKnownAbsent(commit, "folder/f")).equal(false);
    await cache.noteAbsent(commit, "folder/f");
    expect(await cache.isKnownAbsent(commit, "folder/f")).equal(true);
    expect(readFileSync(inCache(".no_exist", commit, "folder", "f"), "utf8")).equal("");
    expect(await cache.isKnownAbsent(commit, "folder")).equal(false);
  });

  it("makes a file of a commit point to its content, and leaves one that is there", async () => {
    put("content", "blobs", "e");
    const link = inCache("snapshots", commit, "folder", "f");
    expect(await cache.link(commit, "folder/f", "e")).equal(link);
    expect([readlinkSync(link), readFileSync(link, "utf8")]).deep.equal(["../../../blobs/e", "content"]);
    const mine = put("mine", "snapshots", commit, "g");
    expect(await cache.link(commit, "g", "e")).equal(mine);
    expect(readFileSync(mine, "utf8")).equal("mine");
  });

  it("serves what it has where it cannot be written", async () => {
    writeFileSync(inCache(), "a file where the folder would be");
    await cache.note("main", commit);
    await cache.noteAbsent(commit, "f");
    expect(await cache.link(commit, "f", "e")).equal(cache.blob("e"));
    expect(readFileSync(inCache(), "utf8")).match(/^a file/);
  });

  it("leaves no half of a link", async () => {
    const content = put("content", "blobs", "e");
    mkdirSync(inCache("folder", "x"), { recursive: true });
    const failed = await placeLink(content, inCache("folder")).then(
      () => "made",
      (error: NodeJS.ErrnoException) => error.code,
    );
    expect(failed).match(/^(EISDIR|EEXIST|ENOTEMPTY|EPERM)$/);
    expect(readdirSync(inCache()).sort()).deep.equal(["blobs", "folder"]);
  });

  it("copies content where a second name cannot be made either", async () => {
    const content = path.join(root, "content");
    writeFileSync(content, "x");
    const refused = (): Promise<void> => Promise.reject(new Error("EPERM"));
    await placeLink(content, path.join(root, "link"), refused);
    expect(statSync(content).nlink).equal(2);
    const absent = await placeLink(path.join(root, "none"), path.join(root, "other"), refused).catch(
      (error: NodeJS.ErrnoException) => error.code,
    );
    expect([absent, readdirSync(root).sort()]).deep.equal(["ENOENT", ["content", "link"]]);
  });
});
