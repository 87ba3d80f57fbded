import { expect } from "chai";
import { FreshParts } from "../../../checkpoint/web/fresh_parts.ts";
import { CacheApiParts } from "../../../checkpoint/web/part_cache.ts";

/** Storage of a page that holds `room` entries, and counts what it is asked to keep. */
function storage(room: number): { caches: CacheStorage; puts: () => number } {
  const entries = new Map<string, Blob>();
  let puts = 0;
  const cache = {
    match: (key: string) => Promise.resolve(entries.has(key) ? new Response(entries.get(key)) : undefined),
    put: async (key: string, response: Response) => {
      puts++;
      if (entries.size >= room) throw new Error("QuotaExceededError");
      entries.set(key, await response.blob());
    },
  };
  return { caches: { open: () => Promise.resolve(cache) } as unknown as CacheStorage, puts: () => puts };
}

describe("parts in a browser's storage", () => {
  it("are found after the storage is full, which is reported once and not tried again", async () => {
    const { caches, puts } = storage(2);
    const notices: string[] = [];
    const parts = new CacheApiParts("spec", (line) => notices.push(line), caches);
    for (const part of ["0", "1", "2", "3"]) await parts.put("http://x/a", part, new Blob([part]));
    expect(puts()).equal(3);
    expect(notices).have.length(1);
    expect(notices[0]).match(/QuotaExceededError/);
    expect(await (await parts.get("http://x/a", "1"))?.text()).equal("1");
    expect(await parts.get("http://x/a", "2")).equal(undefined);
  });

  it("are those of this visit alone in a forced download", async () => {
    const kept = new CacheApiParts("spec", undefined, storage(9).caches);
    await kept.put("http://x/a", "0", new Blob(["old"]));
    const parts = new FreshParts(kept);
    expect(await parts.get("http://x/a", "0")).equal(undefined);
    await parts.put("http://x/a", "0", new Blob(["new"]));
    for (const each of [parts, kept]) expect(await (await each.get("http://x/a", "0"))?.text()).equal("new");
  });

  it("are nowhere where a page has no storage, which is reported once", async () => {
    const notices: string[] = [];
    const none = { open: () => Promise.reject(new Error("forbidden")) } as unknown as CacheStorage;
    const parts = new CacheApiParts("spec", (line) => notices.push(line), none);
    expect(await parts.get("http://x/a", "0")).equal(undefined);
    await parts.put("http://x/a", "0", new Blob(["0"]));
    expect(notices).have.length(1);
  });
});
