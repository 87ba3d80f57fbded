import { expect } from "chai";
import { readFileSync } from "node:fs";
import { FileSource } from "../../../checkpoint/node/file_source.ts";
import { SafetensorsFile } from "../../../checkpoint/safetensors/file.ts";
import { MemorySource } from "../../../checkpoint/sources/memory.ts";
import { engineErrorOf } from "../../support/rejection.ts";
import { bytesOf, safetensorsBytes } from "../../support/files/safetensors_bytes.ts";
import { WatchedSource } from "../../support/files/watched_store.ts";

interface Watched {
  file: SafetensorsFile;
  source: WatchedSource;
  /** Where the data begins. */
  data: number;
}

async function open(header: object, data: Uint8Array): Promise<Watched> {
  const bytes = safetensorsBytes(header, data);
  const source = new WatchedSource(new MemorySource("x.safetensors", bytes));
  return { file: await SafetensorsFile.open(source), source, data: bytes.length - data.length };
}

/** One tensor `x` of this dtype. */
async function openOne(dtype: string, shape: number[], values: ArrayBufferView): Promise<Watched> {
  const data = bytesOf(values);
  return await open({ x: { dtype, shape, data_offsets: [0, data.length] } }, data);
}

describe("SafetensorsFile values", () => {
  it("reads F32 as it is", async () => {
    const values = Float32Array.of(1.5, -0, 1e-45, 3.4028235e38, -Infinity, 0.1);
    const { file } = await openOne("F32", [2, 3], values);
    expect(new Uint32Array((await file.readFloat32("x")).buffer)).to.deep.equal(new Uint32Array(values.buffer));
  });

  it("reads F16 and BF16 exactly", async () => {
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x8000, 0xfc00, 0x3555);
    const f16 = await (await openOne("F16", [7], halves)).file.readFloat32("x");
    expect([...f16]).to.deep.equal([1, -2, 2 ** -24, 65504, -0, -Infinity, 0.333251953125]);
    const bf16 = await (
      await openOne("BF16", [4], Uint16Array.of(0x3f80, 0xc000, 0x0001, 0x3eab))
    ).file.readFloat32("x");
    expect([...bf16]).to.deep.equal([1, -2, 2 ** -133, 0.333984375]);
  });

  it("rounds F64 to nearest", async () => {
    const { file } = await openOne("F64", [3], Float64Array.of(0.1, 1 + 2 ** -25, 1e300));
    expect([...(await file.readFloat32("x"))]).to.deep.equal([Math.fround(0.1), 1, Infinity]);
  });

  it("reads a scalar and a tensor without elements", async () => {
    expect([...(await (await openOne("F32", [], Float32Array.of(7))).file.readFloat32("x"))]).to.deep.equal([7]);
    const { file } = await openOne("F32", [0, 3], new Float32Array(0));
    expect((await file.readFloat32("x")).length).to.equal(0);
    expect((await file.readRows("x", 0, 0)).length).to.equal(0);
  });

  it("reads a tensor at an odd offset", async () => {
    const header = {
      byte: { dtype: "U8", shape: [1], data_offsets: [0, 1] },
      x: { dtype: "F32", shape: [1], data_offsets: [1, 5] },
    };
    const { file } = await open(header, Uint8Array.of(9, ...bytesOf(Float32Array.of(2.5))));
    expect([...(await file.readFloat32("x"))]).to.deep.equal([2.5]);
  });
});

describe("SafetensorsFile reads by range", () => {
  // 100 rows of 4 values: row i is [4 i, 4 i + 1, …].
  const rows = async () =>
    await openOne(
      "F32",
      [100, 2, 2],
      Float32Array.from({ length: 400 }, (_, i) => i),
    );
  const row = (i: number): number[] => [4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3];

  it("reads the header alone to open", async () => {
    const { file, source, data } = await rows();
    expect([file.has("x"), [...file.names()]]).to.deep.equal([true, ["x"]]);
    expect(source.reads).to.deep.equal([
      [0, 8],
      [8, data - 8],
    ]);
  });

  it("reads the bytes of the tensor that is asked for", async () => {
    const header = {
      a: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
      b: { dtype: "F16", shape: [3], data_offsets: [8, 14] },
      c: { dtype: "F32", shape: [2], data_offsets: [14, 22] },
    };
    const { file, source, data } = await open(header, new Uint8Array(22));
    await file.readFloat32("b");
    await file.readRows("b", 1, 2);
    expect(source.reads.slice(2)).to.deep.equal([
      [data + 8, 6],
      [data + 10, 4],
    ]);
  });

  it("reads the bytes of the rows that are asked for", async () => {
    const { file, source, data } = await rows();
    expect([...(await file.readRows("x", 3, 2))]).to.deep.equal([...row(3), ...row(4)]);
    expect([...(await file.readRows("x", 99, 1))]).to.deep.equal(row(99));
    expect(source.reads.slice(2)).to.deep.equal([
      [data + 3 * 16, 2 * 16],
      [data + 99 * 16, 16],
    ]);
  });

  it("gathers rows in the order asked for, neighbours in one read", async () => {
    const { file, source, data } = await rows();
    const wanted = [80, 2, 5, 2, 0];
    expect([...(await file.gatherRows("x", wanted))]).to.deep.equal(wanted.flatMap(row));
    expect(source.reads.slice(2)).to.deep.equal([
      [data, 6 * 16],
      [data + 80 * 16, 16],
    ]);
  });

  it("joins rows up to 16 apart", async () => {
    const { file, source } = await rows();
    await file.gatherRows("x", [0, 16]);
    expect(source.reads.length).to.equal(3);
    await file.gatherRows("x", [0, 17]);
    expect(source.reads.length).to.equal(5);
  });

  it("gathers halves, rows of one value, and nothing", async () => {
    const { file } = await openOne("F16", [3], Uint16Array.of(0x3c00, 0x4000, 0x4200));
    expect([...(await file.gatherRows("x", [2, 0]))]).to.deep.equal([3, 1]);
    expect((await file.gatherRows("x", [])).length).to.equal(0);
  });

  it("reads a small part of the embedded checkpoint", async () => {
    const path = "models/nano/model.safetensors";
    const bytes = readFileSync(path);
    const source = new WatchedSource((await FileSource.open(path))!);
    const file = await SafetensorsFile.open(source);
    const [name, { shape, begin }] = [...file.header.entries].find(([, entry]) => entry.shape[0] > 1000)!;
    const { dtype } = file.info(name);
    expect(dtype).to.match(/^(F16|F32)$/);
    const width = shape.slice(1).reduce((product, extent) => product * extent, 1);
    await file.readRows(name, 500, 2);
    const headerEnd = 8 + Number(bytes.readBigUInt64LE(0));
    const rowBytes = width * (dtype === "F32" ? 4 : 2);
    expect(source.reads.at(-1)).to.deep.equal([headerEnd + begin + 500 * rowBytes, 2 * rowBytes]);
    expect(source.bytesRead).to.equal(headerEnd + 2 * rowBytes);
    await file.close();
    expect(source.isOpen).to.equal(false);
  });
});

describe("SafetensorsFile refuses", () => {
  it("a tensor that it does not hold", async () => {
    const { file } = await openOne("F32", [1], new Float32Array(1));
    for (const read of [
      () => file.info("y"),
      () => file.readFloat32("y"),
      () => file.readRows("y", 0, 1),
      () => file.gatherRows("toString", [0]),
    ]) {
      const error = await engineErrorOf(read);
      expect(error.code).to.equal("bad-input");
      expect(error.toLine()).to.match(/^x\.safetensors: tensor (y|toString) is missing; check that config\.json/);
    }
  });

  it("dtypes other than weights, before it reads them", async () => {
    for (const dtype of ["U8", "F8_E5M2", "BOOL", "F8_E4M3", "F4"]) {
      const shape = dtype === "F4" ? [4, 1] : [2, 1];
      const { file, source } = await openOne(dtype, shape, new Uint8Array(2));
      for (const read of [
        () => file.readFloat32("x"),
        () => file.readRows("x", 1, 1),
        () => file.gatherRows("x", [1]),
      ]) {
        const error = await engineErrorOf(read);
        expect(error.code).to.equal("bad-input");
        expect(error.toLine()).to.equal(
          `x.safetensors: tensor x: weights of this dtype cannot be used (expected F32, F16, BF16, F64, I8, got ${dtype})`,
        );
      }
      expect(source.reads.length).to.equal(2);
    }
  });

  it("rows that a tensor does not have", async () => {
    const matrix = (await openOne("F32", [3, 2], new Float32Array(6))).file;
    const scalar = (await openOne("F32", [], new Float32Array(1))).file;
    // Legal: nothing is stored, though a row would be larger than memory.
    const empty = (await openOne("F32", [0, 2 ** 50], new Float32Array(0))).file;
    for (const read of [
      () => matrix.readRows("x", 2, 2),
      () => matrix.readRows("x", -1, 1),
      () => matrix.gatherRows("x", [0, 3]),
      () => matrix.gatherRows("x", [-1, 0]),
      () => scalar.readRows("x", 0, 1),
      () => scalar.gatherRows("x", [0]),
      () => empty.gatherRows("x", [0]),
    ]) {
      const error = await engineErrorOf(read);
      expect(error.code).to.equal("shape");
      expect(error.toLine()).to.match(/^x\.safetensors: tensor x: has no rows -?\d to -?\d \(got shape \[/);
    }
  });

  it("a file, and closes it", async () => {
    const source = new WatchedSource(new MemorySource("x.safetensors", safetensorsBytes("{")));
    await engineErrorOf(() => SafetensorsFile.open(source));
    expect(source.isOpen).to.equal(false);
  });
});
