import { expect } from "chai";
import { MemoryStore } from "../../../checkpoint/stores/memory.ts";
import { SubfolderStore } from "../../../checkpoint/stores/subfolder.ts";
import { engineErrorOf } from "../../support/rejection.ts";

describe("a folder within a store", () => {
  const top = new MemoryStore(new Map([["a/b/c.json", Uint8Array.of(7)]]), "top");

  it("opens what lies below it, and is named by its path", async () => {
    for (const folder of ["a/b", "./a//b/"]) {
      const store = new SubfolderStore(top, folder);
      expect(store.name).equal("top/a/b");
      expect(await (await store.open("c.json"))?.read(0, 1)).deep.equal(Uint8Array.of(7));
      expect(await store.open("a/b/c.json")).equal(undefined);
    }
  });

  it("leads out of nothing", async () => {
    for (const folder of ["../x", "/a", "a/../.."])
      expect((await engineErrorOf(() => new SubfolderStore(top, folder))).code, folder).equal("bad-input");
    const error = await engineErrorOf(() => new SubfolderStore(top, "a/b").open("../b/c.json"));
    expect([error.code, error.where]).deep.equal(["bad-input", "top/a/b"]);
  });
});
