import { expect } from "chai";
import { MemoryStore } from "../../../checkpoint/stores/memory.ts";

describe("MemoryStore", () => {
  const store = new MemoryStore(new Map([["voices/a.npy", Uint8Array.of(1, 2, 3)]]), "bark");

  it("opens the files that it was given, by their path", async () => {
    const source = await store.open("voices/a.npy");
    expect([source?.name, source?.size]).to.deep.equal(["bark/voices/a.npy", 3]);
    expect([...((await source?.read(1, 2)) ?? [])]).to.deep.equal([2, 3]);
  });

  it("has no others", async () => {
    for (const path of ["a.npy", "voices", "voices/../voices/a.npy", "toString", ""])
      expect(await store.open(path), path).to.equal(undefined);
    expect(new MemoryStore(new Map()).name).to.equal("memory");
  });
});
