import { expect } from "chai";
import { describeNpz } from "../../../checkpoint/numpy/describe_arrays.ts";
import { writeNpyInt64 } from "../../../checkpoint/numpy/npy.ts";
import { NpzFile, writeNpz } from "../../../checkpoint/numpy/npz.ts";
import { NdArray } from "../../../engine/ndarray.ts";
import { MemorySource } from "../../../checkpoint/sources/memory.ts";
import { numpyArchives, numpyArrays, refusedArrays } from "../../support/files/numpy_fixture.ts";
import { engineErrorOf } from "../../support/rejection.ts";
import { readNpz, zeros } from "../../support/files/npz.ts";
import { zipBytes, type ZipMember } from "../../support/files/zip_bytes.ts";

const read = async (bytes: Uint8Array) => await readNpz(new MemorySource("voice.npz", bytes));
const array = (...values: number[]) => new NdArray(Int32Array.from(values), [values.length]);
const mebi = 2 ** 20;

describe("NpzFile", () => {
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

  it("passes over anything but arrays", async () => {
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
      [new Uint8Array(3), "is not a .npy array"],
      [refusedArrays["object"], "holds values of a type that cannot be read"],
      [good.content.slice(0, -1), "has another size than its header says"],
    ] as const) {
      const error = await engineErrorOf(() => read(zipBytes([good, { name: "b.npy", content }])));
      expect([error.code, error.where, error.problem]).to.deep.equal(["bad-input", "voice.npz: b.npy", message]);
    }
  });

  it("reads 32 MiB in all, whatever is read", async () => {
    const bytes = zipBytes([zeros("a.npy", 17 * mebi), { name: "b.npy", content: writeNpyInt64(array(1, 2)) }]);
    const file = await NpzFile.open(new MemorySource("voice.npz", bytes));
    expect(file.names).to.deep.equal(["a", "b"]);
    expect(await file.read("c")).to.equal(undefined);
    expect((await file.read("a"))?.size).to.equal(17 * mebi - 128);
    const error = await engineErrorOf(() => file.read("a"));
    expect([error.code, error.expected]).to.deep.equal(["bad-input", `at most ${15 * mebi} bytes`]);
    expect(await file.read("b")).to.deep.equal(array(1, 2));
  });
});

describe("describeNpz", () => {
  it("lists every member, and what it is where its values are unknown", async () => {
    const members: ZipMember[] = [
      { name: "a.npy", content: writeNpyInt64(array(1, 2)), deflated: true },
      { name: "half.npy", content: numpyArrays.find(({ name }) => name === ">f2")!.npy },
      ...Object.entries(refusedArrays).map(([name, content]) => ({ name: `${name}.npy`, content })),
      { name: "cut.npy", content: writeNpyInt64(array(1, 2)).slice(0, -1) },
      { name: "crc.npy", content: writeNpyInt64(array(1)), crc: 1 },
      zeros("large.npy", 32 * mebi + 1),
      { name: "__MACOSX/._a.npy", content: new Uint8Array(4) },
      { name: "\x1b[2Jread.me", content: new Uint8Array(5) },
      { name: "folder/", content: new Uint8Array(0) },
      { name: "secret.npy", content: writeNpyInt64(array(1)), flags: 1 },
    ];
    const lines: string[] = [];
    for await (const line of describeNpz(new MemorySource("voice.npz", zipBytes(members)))) lines.push(line);
    expect(lines).to.deep.equal([
      "a  int64  [2]  from 1 to 2",
      "half  float16  [2, 2]  from -1.5 to 65504",
      "object  object  [2]  holds values of a type that cannot be read",
      "text  text  [2]  holds values of a type that cannot be read",
      "bytes  bytes  [2]  holds values of a type that cannot be read",
      "record  [('a', '<i4'), ('b', '<f4')]  [2]  holds values of a type that cannot be read",
      "complex  complex64  [2]  holds values of a type that cannot be read",
      "time  datetime  [2]  holds values of a type that cannot be read",
      "beyond 32 bits  int64  [1]  holds an integer beyond 32 bits",
      "below 32 bits  int64  [1]  holds an integer beyond 32 bits",
      "uint32 beyond int32  uint32  [1]  holds an integer beyond 32 bits",
      "cut  int64  [2]  has another size than its header says",
      "crc  int64  [1]  does not match its checksum",
      `large  uint8  [${32 * mebi - 127}]  is larger than it may be`,
      "__MACOSX/._a.npy  4 bytes, no array: is not a .npy array",
      " [2Jread.me  5 bytes, no array: is not a .npy array",
      "folder/  0 bytes, no array: is not a .npy array",
      "secret.npy  136 bytes, no array: secret.npy is encrypted",
    ]);
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
