import { expect } from "chai";
import { parseNpy, readNpy, writeNpyInt64 } from "../../../checkpoint/numpy/npy.ts";
import { NdArray } from "../../../engine/ndarray.ts";
import { MemorySource } from "../../../checkpoint/sources/memory.ts";
import { numpyArrays, refusedArrays } from "../../support/files/numpy_fixture.ts";
import { engineErrorOf } from "../../support/rejection.ts";

/** A file of format 1.0 from the text of its header, padded as numpy does. */
function npyBytes(
  header: string,
  data: Uint8Array | number = 0,
  [major, length]: number[] = [1],
): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(header);
  const values = typeof data === "number" ? new Uint8Array(data) : data;
  const prefix = [0x93, ...new TextEncoder().encode("NUMPY"), major, 0];
  const size = length ?? text.length;
  const sizes = [size & 255, (size >> 8) & 255, (size >> 16) & 255, size >>> 24].slice(0, major === 1 ? 2 : 4);
  return Uint8Array.of(...prefix, ...sizes, ...text, ...values);
}

const header = (fields: { descr?: string; fortran_order?: string; shape?: string } = {}): string =>
  `{'descr': ${fields.descr ?? "'<i4'"}, 'fortran_order': ${fields.fortran_order ?? "False"}, 'shape': ${fields.shape ?? "(2,)"}, }\n`;

describe("parseNpy of numpy's files", () => {
  for (const { name, npy, dtype, shape, values } of numpyArrays)
    it(`${name}: ${dtype} [${shape.join(", ")}]`, () => {
      const array = parseNpy(npy, "x.npy");
      expect(array.shape).to.deep.equal(shape);
      const isFloat = dtype.includes("f");
      expect(array.dtype).to.equal(isFloat ? "float64" : "int32");
      expect([...array.data]).to.deep.equal(values.map(Number));
    });

  for (const [name, npy] of Object.entries(refusedArrays))
    it(`refuses ${name}`, async () => {
      const error = await engineErrorOf(() => parseNpy(npy, "x.npy"));
      expect(error.code).to.equal("bad-input");
      expect(error.toLine()).to.match(
        /^x\.npy: (holds (values of a type that cannot be read|an integer beyond 32 bits)|has a header that cannot)/,
      );
    });

  it("refuses each of them where it is cut off or goes on", async () => {
    for (const { name, npy } of numpyArrays) {
      const cuts = [0, 5, 9, 11, 40, npy.length - 1].filter((length) => length < npy.length);
      const longer = Uint8Array.of(...npy, 0);
      for (const bytes of [...cuts.map((length) => npy.slice(0, length)), longer]) {
        const error = await engineErrorOf(() => parseNpy(bytes, "x.npy"));
        expect([error.code, error.where], `${name} of ${bytes.length} bytes`).to.deep.equal(["bad-input", "x.npy"]);
      }
    }
  });
});

describe("parseNpy", () => {
  it("reads a header however it is spaced and ordered", () => {
    const data = Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0);
    for (const text of [
      "{'shape':(2,),'fortran_order':False,'descr':'<i4'}",
      "  {'descr' : '<i4' ,  'fortran_order' :\tFalse, 'shape' : ( 2 , ) , }  ",
      `{"descr":'<i4',"fortran_order":False,'shape':(2,)}`,
      "{'descr': '<i4', 'fortran_order': False, 'shape': (2L,), }", // as Python 2 wrote it
      header(),
      header().padEnd(10_000),
    ])
      expect([...parseNpy(npyBytes(text, data), "x.npy").data]).to.deep.equal([1, 2]);
  });

  it("reads bytes that are a view into a larger buffer", () => {
    const file = npyBytes(header(), Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0));
    const larger = new Uint8Array(file.length + 20).fill(255);
    larger.set(file, 7);
    expect([...parseNpy(larger.subarray(7, 7 + file.length), "x.npy").data]).to.deep.equal([1, 2]);
  });

  const refused: Record<string, [bytes: Uint8Array<ArrayBuffer>, message: RegExp]> = {
    "an array's first bytes": [npyBytes("").slice(0, 6), /: ends in its header/],
    "a file that begins like an array": [npyBytes(header(), 8).fill(0, 5, 6), /: is not a \.npy array; fetch or save/],
    "another file": [new TextEncoder().encode("PK\x03\x04 and so on"), /: is not a \.npy array; fetch or save/],
    "version 0": [npyBytes(header(), 8, [0]), /unknown version .*expected 1 to 3, got 0/],
    "version 4": [npyBytes(header(), 8, [4]), /unknown version .*got 4/],
    "a header longer than the file": [npyBytes(header(), 8, [1, 9999]), /ends in its header/],
    "no header": [npyBytes("", 0, [1, 0]), /header that cannot be read/],
    "no header of version 2": [npyBytes("", 0, [2, 0]), /header that cannot be read/],
    "a header of 64 kB and 5 bytes": [npyBytes(header(), 8, [2, 2 ** 16 + 5]), /too long a header .*got 65541 bytes/],
    "a header of 4 GB": [npyBytes(header(), 8, [2, 0xffffffff]), /too long a header/],
    "a header of more than numpy allows": [npyBytes(header().padEnd(10_001), 8), /too long a header .*10001 bytes/],
    "a header without descr": [npyBytes("{'fortran_order': False, 'shape': (2,), }", 8), /header that cannot be read/],
    "a header without shape": [npyBytes("{'descr': '<i4', 'fortran_order': False, }", 8), /header that cannot be read/],
    "a header that is code": [npyBytes(`__import__('os') or ${header()}`, 8), /header that cannot be read/],
    "code after a header": [npyBytes(`${header().trim()} or exit()`, 8), /header that cannot be read/],
    "code within a header": [
      npyBytes(`{'descr': '<i4', 'fortran_order': False, 'shape': (2,), 'x': exit()}`, 8),
      /header that cannot be read/,
    ],
    "code in place of a value": [npyBytes(header({ descr: "str('<i4')" }), 8), /header that cannot be read/],
    "a shape that is code": [npyBytes(header({ shape: "(2,)*1" }), 8), /header that cannot be read/],
    "a comment in a header": [npyBytes(`{ # x\n${header().slice(1)}`, 8), /header that cannot be read/],
    "another key": [npyBytes(`{'x': (1,), ${header().slice(1)}`, 8), /header that cannot be read/],
    "a key twice": [npyBytes(`{'descr': '<i4', ${header().slice(1)}`, 8), /header that cannot be read/],
    "a key that objects have": [npyBytes(`{'constructor': (1,), ${header().slice(1)}`, 8), /header that cannot be/],
    "two values exchanged": [npyBytes(header({ descr: "(2,)", shape: "'<i4'" }), 8), /header that cannot be read/],
    "a comma too many": [npyBytes(header().replace(", }", ",, }"), 8), /header that cannot be read/],
    "a missing comma": [npyBytes(header().replace("', '", "' '"), 8), /header that cannot be read/],
    "no dictionary": [npyBytes("['<i4', False, (2,)]", 8), /header that cannot be read/],
    "an empty dictionary": [npyBytes("{}", 8), /header that cannot be read/],
    "a dictionary without end": [npyBytes(header().replace("}", ""), 8), /header that cannot be read/],
    "an escape in a string": [npyBytes(header({ descr: String.raw`'\x3ci4'` }), 8), /header that cannot be read/],
    "a header of version 3 that is not UTF-8": [
      npyBytes("", Uint8Array.of(0xff, 0xfe, 0xff), [3, 3]),
      /header that cannot be read .*got bytes that are not UTF-8/,
    ],
    "a number in place of a tuple": [npyBytes(header({ shape: "(2)" }), 8), /shape that cannot be read/],
    "a tuple of a comma": [npyBytes(header({ shape: "(,)" }), 8), /shape that cannot be read/],
    "an extent with a zero before it": [npyBytes(header({ shape: "(02,)" }), 8), /shape that cannot be read/],
    "an order that is not a boolean": [npyBytes(header({ fortran_order: "1" }), 8), /header that cannot be read/],
    "a shape below 0": [npyBytes(header({ shape: "(-2,)" }), 8), /header that cannot be read/],
    "a shape with fractions": [npyBytes(header({ shape: "(2.0,)" }), 8), /header that cannot be read/],
    "a shape of two numbers and no comma": [npyBytes(header({ shape: "(2 2)" }), 8), /shape that cannot be read/],
    "an extent that is not exact": [npyBytes(header({ shape: "(0, 99999999999999999)" })), /shape that cannot be read/],
    "65 axes": [npyBytes(header({ shape: `(${"1, ".repeat(65)})` }), 4), /shape that cannot be read .*at most 64/],
    "extents whose product is not exact": [
      npyBytes(header({ shape: "(4294967296, 4294967296)" }), 8),
      /another size than its header says/,
    ],
    "fewer bytes than its shape": [npyBytes(header(), 7), /expected 8 bytes of data, got 7 bytes/],
    "more bytes than its shape": [npyBytes(header({ shape: "()" }), 8), /expected 4 bytes of data, got 8 bytes/],
    "an integer of more than 32 bits": [
      npyBytes(header({ descr: "'<u4'", shape: "(1,)" }), Uint8Array.of(0, 0, 0, 128)),
      /holds an integer beyond 32 bits \(got 2147483648\)/,
    ],
    "a type in Latin-1, of version 1": [npyBytes(header({ descr: "'é'" }), 8), /cannot be read .*got Ã©\)/],
    "a type in UTF-8, of version 3": [npyBytes(header({ descr: "'é'" }), 8, [3]), /cannot be read .*got é\)/],
    "a mark before the header": [npyBytes(`\ufeff${header()}`, 8, [3]), /header that cannot be read/],
    "a pickle": [npyBytes(header({ descr: "'|O'" }), 8), /values of a type that cannot be read .*got \|O/],
    "an integer of 3 bytes": [npyBytes(header({ descr: "'<i3'" }), 6), /values of a type that cannot be read/],
    "a type that objects have": [npyBytes(header({ descr: "'constructor'" }), 8), /values of a type that cannot/],
  };
  for (const [name, [bytes, message]] of Object.entries(refused))
    it(`refuses ${name}`, async () => {
      const error = await engineErrorOf(() => parseNpy(bytes, "x.npy"));
      expect(error.code).to.equal("bad-input");
      expect(error.toLine()).to.match(/^x\.npy: /);
      expect(error.toLine()).to.match(message);
    });
});

describe("parseNpy at the bounds", () => {
  it("reads 64 axes", () => {
    const { shape } = parseNpy(npyBytes(header({ shape: `(${"1, ".repeat(64)})` }), 4), "x.npy");
    expect(shape).to.deep.equal(new Array(64).fill(1));
  });

  it("shows 80 letters of a header that it cannot read", async () => {
    const error = await engineErrorOf(() => parseNpy(npyBytes(` ${"code ".repeat(50)}`), "x.npy"));
    expect(error.actual).to.equal("code ".repeat(16));
  });
});

describe("readNpy and writeNpyInt64", () => {
  it("give back what was written", async () => {
    for (const [values, shape] of [
      [[1, -2, 3, 2 ** 31 - 1, -(2 ** 31), 0], [6]],
      [
        [1, 2, 3, 4, 5, 6],
        [2, 3],
      ],
      [[7], []],
      [[], [0, 3]],
    ]) {
      const array = new NdArray(Int32Array.from(values), shape);
      expect(await readNpy(new MemorySource("x.npy", writeNpyInt64(array)))).to.deep.equal(array);
    }
  });

  it("write what numpy writes", () => {
    for (const name of ["<i8", "scalar", "empty"]) {
      const { shape, values } = numpyArrays.find((array) => array.name === name)!;
      const written = writeNpyInt64(new NdArray(Int32Array.from(values.map(Number)), shape));
      const text = new TextDecoder().decode(written.subarray(10, 128));
      expect(text).to.equal(
        `${header({ descr: "'<i8'", shape: shapeText(shape) })
          .trimEnd()
          .padEnd(117)}\n`,
      );
      if (name === "<i8") expect(written).to.deep.equal(numpyArrays.find((array) => array.name === name)?.npy);
    }
  });
});

function shapeText(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
}
