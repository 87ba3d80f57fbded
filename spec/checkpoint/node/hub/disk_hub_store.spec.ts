import { expect } from "chai";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DiskHubStore, type CachedHubOptions } from "../../../../checkpoint/node/hub/disk_hub_store.ts";
import type { HubEvent } from "../../../../checkpoint/hub/options.ts";
import type { Repository } from "../../../../checkpoint/hub/repository.ts";
import { fetchFailed, FetchStub } from "../../../support/hub/fetch_stub.ts";
import { engineErrorOf } from "../../../support/rejection.ts";

const commit = "1".repeat(40);
const content = Uint8Array.from({ length: 20 }, (_, i) => i);
const etag = createHash("sha256").update(content).digest("hex");
const head = (): Response =>
  new Response(null, { headers: { "X-Repo-Commit": commit, ETag: `"${etag}"`, "Content-Length": "20" } });
const body = (): Response => new Response(content, { status: 206, headers: { "Content-Range": "bytes 0-19/20" } });
const refused = (status: number, code: string): Response =>
  new Response(null, { status, headers: { "X-Error-Code": code } });

describe("DiskHubStore", () => {
  const stub = new FetchStub();
  let cacheDir: string;
  beforeEach(() => {
    cacheDir = mkdtempSync(path.join(tmpdir(), "bark-store-"));
  });
  afterEach(() => rmSync(cacheDir, { recursive: true }));
  const open = (options: Partial<CachedHubOptions> = {}, fields: Partial<Repository> = {}): DiskHubStore =>
    new DiskHubStore(
      { id: "a/b", revision: "main", endpoint: "https://hub.example", ...fields },
      { cacheDir, retries: { tries: 3, firstWait: 0 }, ...options },
    );
  const reset = (): Error => fetchFailed("ECONNRESET");
  async function fetchOnce(): Promise<void> {
    stub.answers = [head(), body()];
    await (await open().open("f"))!.close();
  }

  it("tells how far a file is, also one that is there", async () => {
    const events: string[] = [];
    const onEvent = (event: HubEvent): void => {
      if (event.status !== "progress_total")
        events.push(event.status === "progress" ? `${event.loaded} of ${event.total}` : event.status);
    };
    stub.answers = [head(), body(), head()];
    const store = open({ onEvent });
    await (await store.open("f"))!.close();
    expect(events.splice(0)).deep.equal(["initiate", "download", "0 of 20", "20 of 20", "done"]);
    await (await open({ onEvent }).open("f"))!.close();
    expect(events.splice(0)).deep.equal(["initiate", "download", "20 of 20", "done"]);
    expect(await open({ onEvent, localFilesOnly: true }).open("g")).equal(undefined);
    expect([events, store.name]).deep.equal([["initiate"], "a/b"]);
  });

  it("fetches each file once anew where that is forced, and goes on with what came", async () => {
    await fetchOnce();
    stub.answers = [head(), body(), head(), body()];
    const store = open({ forceDownload: true });
    for (let i = 0; i < 2; i++) expect((await store.open("f"))?.size).equal(20);
    expect(stub.answers).have.length(2);
    expect((await store.open("g"))?.size).equal(20);
    stub.answers = [head()];
    expect((await open().open("g"))?.size).equal(20);
  });

  it("keeps what is cached where a forced download fails, and does not take it", async () => {
    await fetchOnce();
    stub.answers = [reset(), reset(), reset()];
    expect((await engineErrorOf(() => open({ forceDownload: true }).open("f"))).code).equal("io");
    expect((await open({ localFilesOnly: true }).open("f"))?.size).equal(20);
    const error = await engineErrorOf(() => open({ forceDownload: true, localFilesOnly: true }));
    expect(error.toLine()).match(/^force_download: nothing can be fetched anew/);
  });

  it("tries as often as it may where the file is not cached", async () => {
    stub.answers = [reset(), reset(), head(), body()];
    expect((await open().open("f"))?.size).equal(20);
    stub.answers = [reset(), reset(), head()];
    const other = open();
    expect((await other.open("g"))?.size).equal(20);
    expect(other.name).equal("a/b");
  });

  it("takes the cache where the hub does not answer, and not where it refuses", async () => {
    await fetchOnce();
    stub.answers = [reset()];
    const store = open();
    expect((await store.open("f"))?.size).equal(20);
    expect(store.name).equal("a/b (cached files only)");
    stub.answers = [refused(403, "")];
    expect((await engineErrorOf(() => open().open("f"))).code).equal("bad-input");
    expect((await engineErrorOf(() => open({ signal: AbortSignal.abort() }).open("f"))).code).equal("aborted");
  });

  it("does not take a file for absent that the hub did not answer for", async () => {
    stub.answers = [head(), body(), reset(), reset(), reset()];
    const store = open();
    await (await store.open("f"))!.close();
    expect((await engineErrorOf(() => store.open("g"))).code).equal("io");
    rmSync(path.join(cacheDir, "models--a--b", "snapshots"), { recursive: true });
    stub.answers = [fetchFailed("ENOTFOUND")];
    expect((await engineErrorOf(() => open().open("g"))).problem).match(/and it is not in the cache$/);
    stub.answers = [refused(404, "EntryNotFound")];
    expect(await open().open("g"), "of a hub that names no commit").equal(undefined);
  });

  it("says what else the name could have meant", async () => {
    const aside = "there is no folder a/b";
    stub.answers = [fetchFailed("ENOTFOUND"), fetchFailed("ENOTFOUND")];
    expect((await engineErrorOf(() => open({}, { aside }).open("f"))).problem).match(
      /^there is no folder a\/b; the hub cannot/,
    );
    expect((await engineErrorOf(() => open().open("f"))).problem).match(/^the hub cannot be reached/);
    const cached = { localFilesOnly: true };
    const [said, plain] = [
      await engineErrorOf(() => open(cached, { aside }).open("f")),
      await engineErrorOf(() => open(cached).open("f")),
    ];
    expect(said.problem).match(/^there is no folder a\/b, and revision main is not/);
    expect([plain.problem.slice(0, 13), plain.actual]).deep.equal(["revision main", "none"]);
  });

  it("tells that the hub is out of order as it is, and of the disk what helps", async () => {
    stub.answers = Array.from({ length: 3 }, () => new Response(null, { status: 503 }));
    expect((await engineErrorOf(() => open().open("f"))).problem).equal("the hub is out of order");
    stub.answers = [head(), refused(403, "")];
    expect((await engineErrorOf(() => open().open("f"))).where, "nothing of the disk").equal("a/b");
    mkdirSync(path.join(cacheDir, "models--a--b"), { recursive: true });
    rmSync(path.join(cacheDir, "models--a--b", "blobs"), { recursive: true, force: true });
    writeFileSync(path.join(cacheDir, "models--a--b", "blobs"), "a file where the folder would be");
    stub.answers = [head()];
    const error = await engineErrorOf(() => open().open("f"));
    expect(error).include({ code: "io", where: path.join(cacheDir, "models--a--b", "blobs") });
    expect(error.problem).match(/^the hub's cache cannot keep the file: /);
    expect(error.fix).match(/^make its folder writable/);
    expect((error.cause as NodeJS.ErrnoException).code).match(/^(EEXIST|ENOTDIR)$/);
  });
});
