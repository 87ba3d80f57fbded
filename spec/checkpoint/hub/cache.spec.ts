import { expect } from "chai";
import { mkdir, readdir, readFile, readlink, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { placeLink } from "../../../checkpoint/node/hub/cache.ts";
import { config, contentOf, hubFixture, id, weights, type HubFixture } from "../../support/hub/hub_fixture.ts";
import { firstCommit, gitHash, secondCommit, sha256 } from "../../support/hub/hub_server.ts";
import { closedAddress } from "../../support/loopback.ts";
import { engineErrorOf } from "../../support/rejection.ts";

// What Python itself finds of this cache, and we of its one, is held by tools/check_hub_cache.py.
describe("the hub's cache", () => {
  let fixture: HubFixture;
  beforeEach(async () => {
    fixture = await hubFixture();
  });
  afterEach(async () => await fixture.close());

  /** Puts a file there as huggingface_hub 2.4 does. */
  async function putAsPython(
    commit: string,
    file: string,
    content: Uint8Array,
    etag = gitHash(content),
  ): Promise<void> {
    const { inCache } = fixture;
    for (const folder of [inCache("blobs"), inCache("refs"), path.dirname(inCache("snapshots", commit, file))])
      await mkdir(folder, { recursive: true });
    await writeFile(inCache("blobs", etag), content);
    await writeFile(inCache("refs", "main"), commit);
    const link = inCache("snapshots", commit, file);
    await symlink(path.relative(path.dirname(link), inCache("blobs", etag)), link);
  }

  it("is laid out as Python lays it out", async () => {
    const store = fixture.open();
    fixture.hub.repositories.get(id)!.commits[firstCommit]["voices/a.npy"] = config;
    for (const file of ["config.json", "model.safetensors", "voices/a.npy", "vocab.txt"])
      await contentOf(await store.open(file));
    const files = await readdir(fixture.cacheDir, { recursive: true });
    const ofCommit = `models--someone--bark/snapshots/${firstCommit}`;
    expect(files.sort()).deep.equal(
      [
        ".locks",
        ".locks/models--someone--bark",
        "models--someone--bark",
        "models--someone--bark/.no_exist",
        `models--someone--bark/.no_exist/${firstCommit}`,
        `models--someone--bark/.no_exist/${firstCommit}/vocab.txt`,
        "models--someone--bark/blobs",
        `models--someone--bark/blobs/${gitHash(config)}`,
        `models--someone--bark/blobs/${sha256(weights)}`,
        "models--someone--bark/refs",
        "models--someone--bark/refs/main",
        "models--someone--bark/snapshots",
        ofCommit,
        `${ofCommit}/config.json`,
        `${ofCommit}/model.safetensors`,
        `${ofCommit}/voices`,
        `${ofCommit}/voices/a.npy`,
      ].sort(),
    );
    const { inCache } = fixture;
    expect(await readFile(inCache("refs/main"), "utf8")).equal(firstCommit);
    expect(await readlink(inCache("snapshots", firstCommit, "config.json"))).equal(`../../blobs/${gitHash(config)}`);
    expect(await readlink(inCache("snapshots", firstCommit, "voices/a.npy"))).equal(
      `../../../blobs/${gitHash(config)}`,
    );
    expect((await readFile(inCache("blobs", sha256(weights)))).equals(weights)).true;
  });

  it("serves what Python put there, and asks for the commit alone", async () => {
    await putAsPython(firstCommit, "config.json", config);
    await putAsPython(firstCommit, "model.safetensors", weights, sha256(weights));
    const store = fixture.open();
    expect(await contentOf(await store.open("config.json"))).deep.equal(config);
    expect(await contentOf(await store.open("model.safetensors"))).deep.equal(weights);
    expect(fixture.asked()).deep.equal(["HEAD hub main/config.json"]);
  });

  it("needs no network for a commit, nor for a file that a commit is known not to have", async () => {
    await putAsPython(firstCommit, "config.json", config);
    await mkdir(fixture.inCache(".no_exist", firstCommit), { recursive: true });
    await writeFile(fixture.inCache(".no_exist", firstCommit, "model.safetensors"), "");
    const store = fixture.open({ revision: firstCommit });
    expect(await contentOf(await store.open("config.json"))).deep.equal(config);
    expect(await store.open("model.safetensors")).equal(undefined);
    expect(fixture.asked()).deep.equal([]);
  });

  it("notes a branch that moved, and keeps the content that both commits share", async () => {
    await contentOf(await fixture.open().open("model.safetensors"));
    const repository = fixture.hub.repositories.get(id)!;
    repository.commits[secondCommit] = { "model.safetensors": weights };
    repository.refs["main"] = secondCommit;
    const before = fixture.asked().length;
    expect(await contentOf(await fixture.open().open("model.safetensors"))).deep.equal(weights);
    expect(fixture.asked().slice(before)).deep.equal(["HEAD hub main/model.safetensors"]);
    expect(await readFile(fixture.inCache("refs/main"), "utf8")).equal(secondCommit);
  });

  it("is fetched again with force_download, once for a store, and nothing of it stands in", async () => {
    await contentOf(await fixture.open().open("model.safetensors"));
    const blob = fixture.inCache("blobs", sha256(weights));
    await writeFile(
      blob,
      weights.map((byte) => byte ^ 1),
    );
    fixture.hub.asked.splice(0);
    const store = fixture.open({ forceDownload: true });
    for (let i = 0; i < 2; i++) expect(await contentOf(await store.open("model.safetensors"))).deep.equal(weights);
    expect(fixture.asked()).deep.equal([
      "HEAD hub main/model.safetensors",
      "GET hub main/model.safetensors bytes=0-2999999",
      "GET storage weights bytes=0-2999999",
    ]);
    const offline = fixture.open({
      forceDownload: true,
      endpoint: await closedAddress(),
      retries: { tries: 1, firstWait: 1 },
    });
    expect((await engineErrorOf(() => offline.open("model.safetensors"))).code).equal("io");
    const error = await engineErrorOf(() => fixture.open({ forceDownload: true, localFilesOnly: true }));
    expect(error.message).match(/^force_download: nothing can be fetched anew/);
  });

  it("is all there is with local_files_only", async () => {
    const offline = fixture.open({ localFilesOnly: true });
    const error = await engineErrorOf(() => offline.open("config.json"));
    expect(error.code).equal("bad-input");
    expect(error.toLine()).match(/^someone\/bark: revision main is not in the cache.*HF_HUB_OFFLINE/);
    await contentOf(await fixture.open().open("config.json"));
    const asked = fixture.asked().length;
    const store = fixture.open({ localFilesOnly: true });
    expect(await contentOf(await store.open("config.json"))).deep.equal(config);
    expect(await store.open("model.safetensors")).equal(undefined);
    expect(store.name).equal("someone/bark (cached files only)");
    expect(fixture.asked().length).equal(asked);
  });

  it("stands in for a hub that cannot be reached or is out of order, with a notice", async () => {
    await contentOf(await fixture.open().open("config.json"));
    fixture.hub.intercept = (_, response) => {
      response.writeHead(503).end();
      return true;
    };
    const notices: string[] = [];
    const onNotice = (line: string): void => void notices.push(line);
    expect(await contentOf(await fixture.open({ onNotice }).open("config.json"))).deep.equal(config);
    const nowhere = { endpoint: await closedAddress(), onNotice };
    expect(await contentOf(await fixture.open(nowhere).open("config.json"))).deep.equal(config);
    expect(notices).have.length(2);
    expect(notices[0]).match(/out of order.*; someone\/bark is taken from the cache$/);
    expect(notices[1]).match(/cannot be reached: .*; someone\/bark is taken from the cache$/);
  });

  it("stands in for a moment: what is not cached is asked for again, at the same commit", async () => {
    await contentOf(await fixture.open().open("config.json"));
    const repository = fixture.hub.repositories.get(id)!;
    repository.commits[secondCommit] = { "config.json": weights, "model.safetensors": config };
    repository.refs["main"] = secondCommit;
    let isBusy = true;
    fixture.hub.intercept = (_, response) => {
      if (!isBusy) return false;
      isBusy = false;
      response.writeHead(503).end();
      return true;
    };
    const store = fixture.open();
    expect(await contentOf(await store.open("config.json"))).deep.equal(config);
    expect(await contentOf(await store.open("model.safetensors"))).deep.equal(weights);
  });

  it("cannot, where it is empty: one line says what to do", async () => {
    const endpoint = await closedAddress();
    const error = await engineErrorOf(() => fixture.open({ endpoint }).open("config.json"));
    expect(error.code).equal("io");
    expect(error.toLine()).match(
      /^someone\/bark: the hub cannot be reached: .*not in the cache .*127\.0\.0\.1:\d+\); .*works offline$/,
    );
  });

  it("takes the place of a link whose content is gone", async () => {
    await contentOf(await fixture.open().open("config.json"));
    await rm(fixture.inCache("blobs", gitHash(config)));
    expect(await contentOf(await fixture.open().open("config.json"))).deep.equal(config);
    expect((await readFile(fixture.inCache("blobs", gitHash(config)))).equals(config)).true;
  });

  it("gives its content where no link to it can be made", async () => {
    await mkdir(fixture.inCache(), { recursive: true });
    await writeFile(fixture.inCache("snapshots"), "a file where the folder would be");
    expect(await contentOf(await fixture.open().open("config.json"))).deep.equal(config);
    fixture.hub.asked.length = 0;
    expect(await contentOf(await fixture.open().open("config.json"))).deep.equal(config);
    expect(fixture.asked()).deep.equal(["HEAD hub main/config.json"]);
  });

  it("keeps content under a second name where symbolic links are not allowed, for two files at once", async () => {
    await mkdir(fixture.inCache(), { recursive: true });
    const [content, ...links] = ["blob", "a.json", "b.json"].map((name) => fixture.inCache(name));
    await writeFile(content, config);
    const refused = (): Promise<void> => Promise.reject(new Error("EPERM"));
    await Promise.all(links.map((link) => placeLink(content, link, refused)));
    for (const file of [content, ...links]) expect((await readFile(file)).equals(config)).equal(true);
    expect((await readdir(fixture.inCache())).sort()).deep.equal(["a.json", "b.json", "blob"]);
  });

  it("has each file fetched once by two who ask at the same time", async () => {
    const [first, second] = [fixture.open(), fixture.open()];
    const notices: string[] = [];
    const waiting = fixture.open({ onNotice: (line) => void notices.push(line) });
    const stores = [first, first, second, waiting];
    const contents = await Promise.all(
      stores.map(async (store) => await contentOf(await store.open("model.safetensors"))),
    );
    for (const content of contents) expect(content).deep.equal(weights);
    expect(fixture.asked().filter((line) => line.startsWith("GET storage"))).have.length(1);
    expect(await readdir(fixture.inCache("blobs"))).deep.equal([sha256(weights)]);
    expect(await readdir(path.join(fixture.cacheDir, ".locks/models--someone--bark"))).deep.equal([]);
  });

  const left: [name: string, owner: object, age: number][] = [
    ["process that has ended", { pid: 2 ** 22 + 1, host: hostname() }, 0],
    ["machine that was switched off", { pid: 1, host: "elsewhere" }, 60_000],
  ];
  for (const [name, owner, age] of left)
    it(`does not wait for a ${name}`, async () => {
      const folder = path.join(fixture.cacheDir, ".locks/models--someone--bark");
      await mkdir(folder, { recursive: true });
      const lock = path.join(folder, `${gitHash(config)}.bark.lock`);
      await writeFile(lock, JSON.stringify(owner));
      const then = new Date(Date.now() - age);
      await utimes(lock, then, then);
      expect(await contentOf(await fixture.open().open("config.json"))).deep.equal(config);
    });

  it("waits for another process that lives, says so, and stops when told", async () => {
    const folder = path.join(fixture.cacheDir, ".locks/models--someone--bark");
    await mkdir(folder, { recursive: true });
    const lock = path.join(folder, `${gitHash(config)}.bark.lock`);
    await writeFile(lock, JSON.stringify({ pid: process.pid, host: hostname() }));
    const controller = new AbortController();
    const onNotice = (line: string): void => {
      expect(line).equal("config.json is being fetched already; waiting for that");
      controller.abort();
    };
    const error = await engineErrorOf(() => fixture.open({ onNotice, signal: controller.signal }).open("config.json"));
    expect(error.code).equal("aborted");
    expect(await readdir(folder), "the lock of the other").have.length(1);
  });
});
