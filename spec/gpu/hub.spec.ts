import { expect } from "chai";
import { BarkProcessor } from "../../bark/text/processor.ts";
import { parseRepository } from "../../checkpoint/hub/repository.ts";
import { PageHubStore, type HubStoreOptions } from "../../checkpoint/web/page_hub_store.ts";
import { CacheApiParts } from "../../checkpoint/web/part_cache.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { isPage, readRepositoryFile } from "../support/runtime.ts";
import { openTestHub, type TestHub } from "../support/hub/test_hub.ts";

const id = "someone/nano";
const partBytes = 4 << 20;

/** Storage as a page has it, in memory: Node has none, and that of Deno and Chromium outlives a test. */
class MemoryCaches {
  readonly entries = new Map<string, Blob>();
  /** What the next `put` fails with. */
  fault: Error | undefined;

  open(): Promise<Pick<Cache, "match" | "put">> {
    return Promise.resolve({
      match: (key) => {
        const found = this.entries.get(key as string);
        return Promise.resolve(found && new Response(found));
      },
      put: async (key, response) => {
        if (this.fault !== undefined) throw this.fault;
        this.entries.set(key as string, await response.blob());
      },
    });
  }
}

describe("a model on the hub, in a page", () => {
  let hub: TestHub;
  let expected: Uint8Array;
  before(async () => {
    hub = await openTestHub();
    expected = await readRepositoryFile("models/nano/model.safetensors");
  });
  after(async () => await hub.close());

  function open(caches: MemoryCaches, options: Partial<HubStoreOptions> = {}): PageHubStore {
    const parts = new CacheApiParts("spec", options.onNotice, caches as unknown as CacheStorage);
    const settings = { endpoint: hub.url, parts, partBytes, retries: { tries: 2, firstWait: 1 }, ...options };
    return new PageHubStore(parseRepository(id, settings)!, settings);
  }
  const partsOf = (caches: MemoryCaches): string[] =>
    Array.from(caches.entries.keys())
      .filter((key) => key.includes("model.safetensors?part="))
      .map((key) => key.split("?part=")[1])
      .sort();

  it("is read by range, and only the parts that are read are fetched and kept", async () => {
    const caches = new MemoryCaches();
    const source = (await open(caches).open("model.safetensors"))!;
    expect(source.size).equal(expected.length);
    expect(partsOf(caches)).deep.equal([`${partBytes}-0`, "size"]);
    const across = 3 * partBytes - 100;
    expect(await source.read(across, 300)).deep.equal(expected.slice(across, across + 300));
    expect(await source.read(expected.length - 5, 5)).deep.equal(expected.slice(-5));
    expect((await source.read(expected.length, 0)).length).equal(0);
    expect(partsOf(caches)).deep.equal(
      [0, 2, 3, Math.floor(expected.length / partBytes)].map((index) => `${partBytes}-${index}`).concat("size"),
    );
    expect((await engineErrorOf(() => source.read(expected.length - 5, 6))).code).equal("bad-input");
  });

  it("is read whole, as it is, and again without network", async () => {
    const caches = new MemoryCaches();
    const first = (await open(caches).open("model.safetensors"))!;
    expect(await first.read(0, first.size)).deep.equal(expected);
    const notices: string[] = [];
    const offline = { endpoint: hub.url, onNotice: (line: string) => void notices.push(line), localFilesOnly: true };
    const second = (await open(caches, offline).open("model.safetensors"))!;
    expect(await second.read(0, second.size)).deep.equal(expected);
    expect(await open(caches, offline).open("vocab.txt")).equal(undefined);
    expect(notices).deep.equal([]);
  });

  it("has no missing file and no missing repository", async () => {
    expect(await open(new MemoryCaches()).open("pytorch_model.bin")).equal(undefined);
    const settings = { endpoint: hub.url, parts: new CacheApiParts("spec", undefined, new MemoryCaches() as never) };
    const other = new PageHubStore(parseRepository("some/one", settings)!, settings);
    expect((await engineErrorOf(() => other.open("config.json"))).toLine()).match(
      /some\/one: there is no such repository/,
    );
  });

  it("tells what it fetches", async () => {
    const { length: size } = await readRepositoryFile("models/nano/tokenizer_config.json");
    const events: string[] = [];
    const onEvent: HubStoreOptions["onEvent"] = (event) => {
      if (event.status === "progress") events.push(`${event.file} ${event.loaded}/${event.total}`);
      else if (event.status !== "progress_total") events.push(`${event.file} ${event.status}`);
    };
    await open(new MemoryCaches(), { onEvent }).open("tokenizer_config.json");
    expect(events).deep.equal([
      "tokenizer_config.json initiate",
      "tokenizer_config.json download",
      `tokenizer_config.json 0/${size}`,
      `tokenizer_config.json ${size}/${size}`,
      "tokenizer_config.json done",
    ]);
  });

  it("loads where the browser's storage is full, with one notice", async () => {
    const caches = new MemoryCaches();
    caches.fault = new Error("QuotaExceededError");
    const notices: string[] = [];
    const source = (await open(caches, { onNotice: (line) => void notices.push(line) }).open("model.safetensors"))!;
    expect(await source.read(0, source.size)).deep.equal(expected);
    expect(notices).have.length(1);
    expect(notices[0]).match(/does not store the weights \(QuotaExceededError\): they are fetched each time/);
  });

  it("goes on with what is stored when the hub cannot be reached, and says so", async () => {
    const caches = new MemoryCaches();
    await open(caches).open("config.json");
    const moved = Array.from(
      caches.entries,
      ([key, value]) => [key.replace(hub.url, "http://127.0.0.1:9"), value] as const,
    );
    for (const [key, value] of moved) caches.entries.set(key, value);
    const notices: string[] = [];
    const options = { endpoint: "http://127.0.0.1:9", onNotice: (line: string) => void notices.push(line) };
    expect((await open(caches, options).open("config.json"))?.size).above(0);
    expect(notices).have.length(1);
    expect(notices[0]).match(/cannot be reached: .*taken from the browser's cache$/);
  });

  const itInPage = isPage ? it : () => undefined;
  itInPage("is what from_pretrained opens by its name, in the storage of the browser", async () => {
    const cache_dir = `spec-${Date.now()}`;
    try {
      const statuses = new Set<string>();
      const options = {
        endpoint: hub.url,
        cache_dir,
        progress_callback: (info: { status: string }) => statuses.add(info.status),
      };
      const { input_ids } = await (await BarkProcessor.from_pretrained(id, options))("Hello.");
      expect([...statuses]).deep.equal(["initiate", "download", "progress", "progress_total", "done"]);
      const offline = await BarkProcessor.from_pretrained(id, { ...options, local_files_only: true });
      expect((await offline("Hello.")).input_ids.tolist()).deep.equal(input_ids.tolist());
    } finally {
      await caches.delete(cache_dir);
    }
  });
});
