import { expect } from "chai";
import { MemorySource } from "../../../checkpoint/sources/memory.ts";
import { readNpz, zeros } from "../../support/files/npz.ts";
import { engineErrorOf } from "../../support/rejection.ts";
import { zipBytes } from "../../support/files/zip_bytes.ts";

const read = async (bytes: Uint8Array) => await readNpz(new MemorySource("voice.npz", bytes));
const mebi = 2 ** 20;

describe("NpzFile at its limit", () => {
  it("refuses a bomb: 32 MiB and one byte, in one member or in many", async () => {
    expect((await read(zipBytes([zeros("a.npy", 32 * mebi)]))).get("a")?.size).to.equal(32 * mebi - 128);
    for (const sizes of [[32 * mebi + 1], [16 * mebi, 16 * mebi + 1]]) {
      const bomb = zipBytes(sizes.map((size, i) => zeros(`${i}.npy`, size)));
      expect(bomb.length).to.be.below(mebi / 16);
      const error = await engineErrorOf(() => read(bomb));
      expect(error.code).to.equal("bad-input");
      expect(error.toLine()).to.match(
        /^voice\.npz: [01]\.npy: is larger than it may be \(expected at most \d+ bytes, got/,
      );
    }
  });
});
