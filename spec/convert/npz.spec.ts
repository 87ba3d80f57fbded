import { expect } from "chai";
import { writeNpyInt64 } from "../../convert/npy.ts";
import { readNpz, writeNpz } from "../../convert/npz.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { MemorySource } from "../../engine/sources/memory.ts";
import { numpyArchives, refusedArrays } from "../support/numpy_fixture.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { zipBytes, type ZipMember } from "../support/zip_bytes.ts";

const read = async (bytes: Uint8Array) => await readNpz(new MemorySource("voice.npz", bytes));
const array = (...values: number[]) => new NdArray(Int32Array.from(values), [values.length]);
const mebi = 2 ** 20;

/** Zeros of this many bytes in all, its header included; deflated to a thousandth. */
function zeros(name: string, size: number): ZipMember {
  const text = (count: number): string =>
    `{'descr': '|u1', 'fortran_order': False, 'shape': (${count},), }`.padEnd(117);
  const content = new Uint8Array(size);
  content.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, 118, 0]);
  content.set(new TextEncoder().encode(`${text(size - 128)}\n`), 10);
  return { name, content, deflated: true };
}

describe("readNpz", () => {
  for (const [name, bytes] of Object.entries(numpyArchives))
    it(`reads what numpy wrote: ${name}`, async () => {
      const arrays = await read(bytes);
      expect([...arrays.keys()]).to.deep.equal(["a", "b"]);
      expect(arrays.get("a")?.tolist()).to.deep.equal([
        [0, 1, 2],
        [3, 4, 5],
      ]);
      expect(arrays.get("b")?.tolist()).to.deep.equal([1.5, -2]);
    });

  it("passes over what is no array", async () => {
    const members = [
      { name: "read.me", content: new Uint8Array(5) },
      { name: "a.npy", content: writeNpyInt64(array(1, 2)) },
      { name: "folder/", content: new Uint8Array(0) },
    ];
    expect([...(await read(zipBytes(members)))]).to.deep.equal([["a", array(1, 2)]]);
  });

  it("names the file and the member that is wrong", async () => {
    const good = { name: "a.npy", content: writeNpyInt64(array(1, 2)) };
    for (const [content, message] of [
      [new Uint8Array(3), "is no .npy array"],
      [refusedArrays["object"], "holds values of a type that cannot be read"],
      [good.content.slice(0, -1), "has another size than its header says"],
    ] as const) {
      const error = await engineErrorOf(() => read(zipBytes([good, { name: "b.npy", content }])));
      expect([error.code, error.where, error.problem]).to.deep.equal(["bad-input", "voice.npz: b.npy", message]);
    }
  });

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

describe("writeNpz", () => {
  it("is read back as it was", async () => {
    const fine_prompt = new NdArray(Int32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
    const arrays = { semantic_prompt: array(5, -6), fine_prompt, é: array() };
    expect(Object.fromEntries(await read(writeNpz(arrays)))).to.deep.equal(arrays);
  });

  it("writes equal bytes for equal arrays", () => {
    expect(writeNpz({ a: array(1), b: array(2) })).to.deep.equal(writeNpz({ a: array(1), b: array(2) }));
  });
});
