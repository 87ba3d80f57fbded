import { expect } from "chai";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { nodeFileHost } from "../../../checkpoint/node/index.ts";
import { closedAddress, serve } from "../../support/loopback.ts";
import { engineErrorOf } from "../../support/rejection.ts";

describe("where Node finds a checkpoint", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "bark-platform-"));
    await mkdir(path.join(folder, "na no"));
  });
  after(async () => await rm(folder, { recursive: true }));

  it("is a folder, by its path or as import.meta gives it", async () => {
    const expected = path.join(folder, "na no");
    for (const location of [expected, pathToFileURL(expected).href, `${pathToFileURL(expected).href}/`]) {
      const { name } = await nodeFileHost.openStore(location);
      expect(path.resolve(name), location).equal(expected);
    }
  });

  it("is refused where a file: URL belongs to another machine, or names nothing", async () => {
    const missing = await engineErrorOf(() => nodeFileHost.openStore(pathToFileURL(path.join(folder, "b")).href));
    expect([missing.code, missing.where]).deep.equal(["bad-input", path.join(folder, "b")]);
    expect((await engineErrorOf(() => nodeFileHost.openStore("file://elsewhere/b"))).code).equal("usage");
  });

  it("rejects for a checkpoint folder that does not exist", async () => {
    const error: unknown = await nodeFileHost.openStore("/nonexistent/folder").catch((e: unknown) => e);
    expect(error).to.include({ code: "bad-input", where: "/nonexistent/folder" });
  });

  it("is reported with the folder that is near, and with both meanings of a name", async () => {
    const endpoint = await closedAddress();
    const path1 = path.join(folder, "na noo");
    const gone = await engineErrorOf(() => nodeFileHost.openStore(path1));
    expect(gone.toLine()).contain(`did you mean ${path.join(folder, "na no")}?`);
    const options = { endpoint, cacheDir: path.join(folder, "cache") };
    const offline = await engineErrorOf(async () => (await nodeFileHost.openStore("models/nanoo", options)).open("x"));
    expect(offline.toLine()).match(
      /^models\/nanoo: there is no folder models\/nanoo here \(did you mean models\/nano\?\); the hub cannot be reached/,
    );
    const cached = await engineErrorOf(async () =>
      (await nodeFileHost.openStore("models/nanoo", { ...options, localFilesOnly: true })).open("x"),
    );
    expect(cached.toLine()).match(/no folder models\/nanoo here .*, and revision main is not in the cache/);
    const noFolder = await engineErrorOf(async () =>
      (await nodeFileHost.openStore("models/nanoo@v1", options)).open("x"),
    );
    expect(noFolder.toLine()).match(/^models\/nanoo: the hub cannot be reached/);
  });

  it("sends user and password of HF_ENDPOINT to it, and shows neither", async () => {
    const asked: unknown[] = [];
    const server = await serve((request, response) => {
      asked.push(request.headers.authorization);
      response.writeHead(401, { "X-Error-Code": "RepoNotFound" }).end();
    });
    try {
      const endpoint = server.url.replace("//", "//user:s3cret@");
      const options = { endpoint, cacheDir: path.join(folder, "cache"), token: "t" };
      const error = await engineErrorOf(async () => (await nodeFileHost.openStore("a/b", options)).open("config.json"));
      expect(asked).deep.equal([`Basic ${btoa("user:s3cret")}`]);
      expect(error.toLine()).contain(server.url).and.not.contain("s3cret");
    } finally {
      await server.close();
    }
    const wrong = await engineErrorOf(() => nodeFileHost.openStore("a/b", { endpoint: "user:s3cret@hub.example.org" }));
    expect(wrong.toLine()).match(/HF_ENDPOINT: .*got \*\*\*@hub\.example\.org/);
  });
});
