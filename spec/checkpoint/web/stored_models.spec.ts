import { expect } from "chai";
import { deleteStoredModel, storedModels } from "../../../checkpoint/web/stored_models.ts";

/** As much of a page's CacheStorage as is used, in memory. */
function storageOf(entries: Readonly<Record<string, string>>): CacheStorage {
  const kept = new Map(Object.entries(entries));
  const cache = {
    keys: async () => [...kept.keys()].map((url) => new Request(url)),
    match: async ({ url }: Request) => new Response(kept.get(url)),
    delete: async ({ url }: Request) => kept.delete(url),
  };
  return { has: async (name: string) => name === "bark-webgpu", open: async () => cache } as unknown as CacheStorage;
}

const hub = "https://hub.test";

describe("models that a browser keeps", () => {
  it("are told with the bytes of all their parts, the largest first", async () => {
    const storage = storageOf({
      [`${hub}/a/small/resolve/abc/config.json?part=9-0`]: "12",
      [`${hub}/a/large/resolve/abc/model.safetensors?part=9-0`]: "123456789",
      [`${hub}/a/large/resolve/abc/model.safetensors?part=9-1`]: "1234",
      [`${hub}/somewhere/else.js`]: "123",
    });
    expect(await storedModels(undefined, storage)).deep.equal([
      { id: "a/large", bytes: 13 },
      { id: "a/small", bytes: 2 },
    ]);
  });

  it("are deleted one by one", async () => {
    const storage = storageOf({
      [`${hub}/a/one/resolve/abc/x?part=9-0`]: "1",
      [`${hub}/a/one_more/resolve/abc/x?part=9-0`]: "2",
    });
    await deleteStoredModel("a/one", undefined, storage);
    expect(await storedModels(undefined, storage)).deep.equal([{ id: "a/one_more", bytes: 1 }]);
  });

  it("are none where nothing was stored, or there is no storage", async () => {
    expect(await storedModels("another", storageOf({}))).deep.equal([]);
    expect(await storedModels(undefined, undefined)).deep.equal([]);
  });
});
