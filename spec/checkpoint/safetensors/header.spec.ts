import { expect } from "chai";
import { SafetensorsFile } from "../../../checkpoint/safetensors/file.ts";
import { maxHeaderBytes } from "../../../checkpoint/safetensors/header.ts";
import { MemorySource } from "../../../checkpoint/sources/memory.ts";
import { engineErrorOf } from "../../support/rejection.ts";
import { safetensorsBytes } from "../../support/files/safetensors_bytes.ts";
import { WatchedSource } from "../../support/files/watched_store.ts";

const open = async (bytes: Uint8Array) => await SafetensorsFile.open(new MemorySource("x.safetensors", bytes));

interface Info {
  dtype: unknown;
  shape: unknown;
  data_offsets: unknown;
}
const i32 = (shape: unknown, begin: number, end: number): Info => ({
  dtype: "I32",
  shape,
  data_offsets: [begin, end],
});

// Named test_… are those of safetensors/src/tensor.rs, attack_… its folder attacks/.
describe("safetensors headers that are accepted", () => {
  it("test_deserialization", async () => {
    const file = await open(safetensorsBytes({ test: i32([2, 2], 0, 16) }, 16));
    expect([...file.names()]).to.deep.equal(["test"]);
    expect(file.info("test")).to.deep.equal({ dtype: "I32", shape: [2, 2], file: "x.safetensors" });
  });

  it("test_empty: no tensors", async () => {
    expect([...(await open(safetensorsBytes("{}"))).names()]).to.deep.equal([]);
    const file = await open(safetensorsBytes({ __metadata__: { framework: "pt" } }));
    expect([...file.header.metadata]).to.deep.equal([["framework", "pt"]]);
  });

  it("test_empty_shapes_allowed: a scalar", async () => {
    expect((await open(safetensorsBytes({ test: i32([], 0, 4) }, 4))).info("test").shape).to.deep.equal([]);
  });

  it("test_zero_sized_tensor, alone and between others", async () => {
    expect((await open(safetensorsBytes({ test: i32([2, 0], 0, 0) }))).info("test").shape).to.deep.equal([2, 0]);
    const header = { b: i32([1], 4, 8), none: i32([0], 4, 4), a: i32([1], 0, 4) };
    expect([...(await open(safetensorsBytes(header, 8))).names()]).to.deep.equal(["b", "none", "a"]);
  });

  it("test_whitespace_padded_header and test_whitespace_leading_padded_header", async () => {
    for (const header of ["{}    ", "   {}", "\t\n{ }\r\n"])
      expect([...(await open(safetensorsBytes(header))).names()]).to.deep.equal([]);
    const padded = `  {"test":{"dtype":"I32","shape":[2],"data_offsets":[0,8]}}        `;
    expect((await open(safetensorsBytes(padded, 8))).has("test")).to.equal(true);
  });

  it("every dtype, counted in bits", async () => {
    const bits: Record<string, number> = { BOOL: 8, F4: 4, F6_E2M3: 6, F6_E3M2: 6 };
    for (const dtype of ["U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"]) bits[dtype] = 8;
    for (const dtype of ["I16", "U16", "F16", "BF16"]) bits[dtype] = 16;
    for (const dtype of ["I32", "U32", "F32"]) bits[dtype] = 32;
    for (const dtype of ["C64", "F64", "I64", "U64"]) bits[dtype] = 64;
    for (const [dtype, size] of Object.entries(bits)) {
      const header = { x: { dtype, shape: [4, 3], data_offsets: [0, (12 * size) / 8] } };
      expect((await open(safetensorsBytes(header, (12 * size) / 8))).info("x").dtype).to.equal(dtype);
    }
  });

  it("metadata null, names that objects have, fields that we do not know", async () => {
    const text = `{"__metadata__":null,"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},
      "constructor":{"dtype":"U8","shape":[2],"data_offsets":[1,3],"comment":{"dtype":[]}},
      "\\u00e9\\"\\\\":{"dtype":"U8","shape":[],"data_offsets":[3,4]}}`;
    const file = await open(safetensorsBytes(text, 4));
    expect([...file.names()]).to.deep.equal(["__proto__", "constructor", 'é"\\']);
    expect(file.info("__proto__").shape).to.deep.equal([1]);
    expect(file.has("toString")).to.equal(false);
  });
});

describe("safetensors headers that are rejected", () => {
  const four = { a: i32([1], 0, 4) };
  const entry = (fields: Partial<Info>) => safetensorsBytes({ a: { ...i32([1], 0, 4), ...fields } }, 4);
  const prefix = (...bytes: number[]) => Uint8Array.from(bytes);
  const cases: Record<string, [bytes: Uint8Array, message: RegExp]> = {
    test_json_attack: [
      safetensorsBytes(Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`t${i}`, i32([2, 2], 0, 16)])), 16),
      /tensor t1: leaves a hole or overlaps its neighbour \(expected offset 16, got 0\)/,
    ],
    "test_metadata_incomplete_buffer: bytes too many": [safetensorsBytes(four, 5), /size does not fit its tensors/],
    "test_metadata_incomplete_buffer: bytes missing": [safetensorsBytes(four, 2), /size does not fit its tensors/],
    test_header_too_large: [prefix(0x3c, 0, 0, 0, 0, 0xff, 0xff, 0xff), /the header is too long/],
    test_header_too_small: [prefix(), /is too short/],
    test_invalid_header_length: [prefix(0x3c, 0, 0, 0, 0, 0, 0, 0), /the file ends in its header/],
    test_invalid_header_non_utf8: [safetensorsBytes(Uint8Array.of(0xff)), /the header is not UTF-8/],
    test_invalid_header_not_json: [safetensorsBytes("{"), /the header is not JSON/],
    test_invalid_info: [safetensorsBytes({ test: i32([2, 2], 0, 4) }, 4), /offsets do not fit dtype and shape/],
    "test_validation_overflow: a dimension": [
      safetensorsBytes('{"test":{"dtype":"I32","shape":[2,18446744073709551614],"data_offsets":[0,16]}}', 16),
      /tensor test: wrong shape/,
    ],
    "test_validation_overflow: the product with the dtype": [
      safetensorsBytes('{"test":{"dtype":"I32","shape":[2,9223372036854775807],"data_offsets":[0,16]}}', 16),
      /tensor test: wrong shape/,
    ],
    "the product overflows, though each dimension is exact": [
      entry({ shape: [2 ** 52, 2 ** 52] }),
      /the size overflows/,
    ],
    "the product overflows on its way to 0": [
      entry({ shape: [2 ** 52, 2 ** 52, 0], data_offsets: [0, 0] }),
      /the size overflows/,
    ],
    "2^64 bits": [entry({ shape: [2 ** 30, 2 ** 29], data_offsets: [0, 0] }), /the size overflows/],
    test_serialization_fp4_misaligned: [
      entry({ dtype: "F4", shape: [1, 3], data_offsets: [0, 1] }),
      /the size is not a whole number of bytes/,
    ],
    "attack_1: a length that the file does not have": [
      safetensorsBytes(four, 4).fill(0xe8, 0, 1).fill(0x03, 1, 2),
      /the file ends in its header/,
    ],
    "a hole": [safetensorsBytes({ ...four, b: i32([1], 8, 12) }, 12), /tensor b: leaves a hole/],
    "an overlap of one byte": [safetensorsBytes({ ...four, b: i32([1], 3, 7) }, 7), /tensor b: leaves a hole/],
    "a first tensor that is not at 0": [safetensorsBytes({ a: i32([1], 4, 8) }, 8), /tensor a: leaves a hole/],
    "an end before the begin": [entry({ data_offsets: [4, 0] }), /offsets do not fit/],
    "one offset": [entry({ data_offsets: [4] }), /wrong data_offsets/],
    "an offset below 0": [entry({ data_offsets: [-4, 0] }), /wrong data_offsets/],
    "duplicate tensors": [
      safetensorsBytes(`{"a":${JSON.stringify(four.a)},"a":${JSON.stringify(four.a)}}`, 4),
      /the header names "a" twice/,
    ],
    "duplicate tensors, one name escaped": [
      safetensorsBytes(`{"a":${JSON.stringify(four.a)},"\\u0061":${JSON.stringify(four.a)}}`, 4),
      /the header names "a" twice/,
    ],
    "duplicate fields": [
      safetensorsBytes('{"a":{"dtype":"I32","shape":[1],"dtype":"F32","data_offsets":[0,4]}}', 4),
      /the header names "dtype" twice/,
    ],
    "duplicates behind brackets and quotes in strings": [
      safetensorsBytes('{"__metadata__":{"x":"}]\\"{[,","y":"\\\\"},"__metadata__":{}}'),
      /the header names "__metadata__" twice/,
    ],
    "an unknown dtype": [entry({ dtype: "F33" }), /unknown dtype/],
    "a dtype that objects have": [entry({ dtype: "constructor" }), /unknown dtype/],
    "a list of a dtype": [entry({ dtype: ["I32"] }), /unknown dtype .*got \["I32"\]/],
    "no dtype": [entry({ dtype: undefined }), /unknown dtype .*got nothing/],
    "a dimension below 0": [entry({ shape: [-1] }), /wrong shape/],
    "a fractional dimension": [entry({ shape: [0.5, 2] }), /wrong shape/],
    "a dimension in quotes": [entry({ shape: ["1"] }), /wrong shape/],
    "a shape that is not a list": [entry({ shape: 1 }), /wrong shape/],
    "a shape nested 10,000 deep": [
      safetensorsBytes(`{"a":{"dtype":"I32","shape":${"[".repeat(1e4)}${"]".repeat(1e4)},"data_offsets":[0,4]}}`, 4),
      /wrong shape .*cannot be shown/,
    ],
    "a tensor that is null": [safetensorsBytes({ a: null }), /tensor a: is not an object; the file/],
    "a tensor that is not an object": [safetensorsBytes({ a: 4 }), /tensor a: is not an object/],
    "metadata with a number": [safetensorsBytes({ __metadata__: { a: 1 } }), /entry "a" is not a string/],
    "metadata that is a text": [safetensorsBytes({ __metadata__: "a" }), /__metadata__ is not an object/],
    "metadata that is a list": [safetensorsBytes({ __metadata__: ["a"] }), /__metadata__ is not an object/],
    "a list": [safetensorsBytes("[]"), /the header is not a JSON object/],
    null: [safetensorsBytes("null"), /the header is not a JSON object/],
    "an empty header": [safetensorsBytes(""), /the header is not JSON/],
    "a byte order mark": [safetensorsBytes("\ufeff{}"), /the header is not JSON/],
    NaN: [safetensorsBytes('{"a":NaN}'), /the header is not JSON/],
    "a comma at the end": [safetensorsBytes('{"__metadata__":{},}'), /the header is not JSON/],
    "something behind the object": [safetensorsBytes("{}{}"), /the header is not JSON/],
    "a padding of zeros": [safetensorsBytes("{}\0\0"), /the header is not JSON/],
  };
  for (const [name, [bytes, message]] of Object.entries(cases))
    it(name, async () => {
      const error = await engineErrorOf(() => open(bytes));
      expect(error.code).to.equal("bad-input");
      expect(error.toLine()).to.match(/^x\.safetensors: /);
      expect(error.toLine()).to.match(message);
    });

  it("attack_2: a header longer than the format allows is not even read", async () => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(maxHeaderBytes + 1), true);
    const source = new WatchedSource(new MemorySource("x.safetensors", bytes));
    Object.defineProperty(source, "size", { value: 2 * maxHeaderBytes });
    const error = await engineErrorOf(() => SafetensorsFile.open(source));
    expect(error.toLine()).to.match(/the header is too long \(expected at most 100000000 bytes, got 100000001\)/);
    expect(source.reads).to.deep.equal([[0, 8]]);
  });
});
