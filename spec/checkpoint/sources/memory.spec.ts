import { expect } from "chai";
import type { ByteSource } from "../../../checkpoint/sources/byte_source.ts";
import { BlobSource, MemorySource } from "../../../checkpoint/sources/memory.ts";
import { engineErrorOf } from "../../support/rejection.ts";

const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
// A view into a larger buffer, as Node's pool gives them out.
const view = Buffer.from(new Uint8Array(300).buffer, 50, 100);
view.set(bytes);

const sources: Record<string, ByteSource> = {
  MemorySource: new MemorySource("x.bin", bytes),
  "MemorySource of a Buffer": new MemorySource("x.bin", view),
  BlobSource: new BlobSource("x.bin", new Blob([bytes])),
};
for (const [name, source] of Object.entries(sources))
  describe(name, () => {
    it("reads ranges into buffers of their own", async () => {
      expect([source.name, source.size]).to.deep.equal(["x.bin", 100]);
      const part = await source.read(90, 10);
      expect([part.constructor, [...part]]).to.deep.equal([Uint8Array, [...bytes.slice(90)]]);
      expect([part.byteOffset, part.buffer.byteLength]).to.deep.equal([0, 10]);
      part.fill(0);
      expect([...(await source.read(0, 100))]).to.deep.equal([...bytes]);
      expect((await source.read(100, 0)).length).to.equal(0);
    });

    it("refuses what lies outside", async () => {
      for (const [offset, length] of [
        [91, 10],
        [101, 0],
        [-1, 1],
        [5, -1],
        [0, NaN],
        [2 ** 60, 1],
      ]) {
        const error = await engineErrorOf(() => source.read(offset, length));
        expect(error.code).to.equal("bad-input");
        expect(error.toLine()).to.match(
          /^x\.bin: the file ends too early \(expected bytes .*, got 100 bytes in all\); download or copy the file again$/,
        );
      }
    });

    it("closes", async () => {
      expect(await source.close()).to.equal(undefined);
    });
  });
