import { expect } from "chai";
import { writeSafetensors, type WritableTensor } from "../../../checkpoint/safetensors/writer.ts";
import { SafetensorsFile } from "../../../checkpoint/safetensors/file.ts";
import { MemorySource } from "../../../checkpoint/sources/memory.ts";

async function written(tensors: WritableTensor[], metadata?: Record<string, string>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of writeSafetensors(tensors, metadata)) parts.push(part);
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const f32 = (name: string, ...values: number[]): WritableTensor => ({
  name,
  dtype: "F32",
  shape: [values.length],
  byteLength: 4 * values.length,
  read: async () => new Uint8Array(Float32Array.from(values).buffer),
});
const f16 = (name: string, ...halves: number[]): WritableTensor => ({
  name,
  dtype: "F16",
  shape: [halves.length],
  byteLength: 2 * halves.length,
  read: async () => new Uint8Array(Uint16Array.from(halves).buffer),
});

describe("safetensors writer", () => {
  it("writes what the reader reads", async () => {
    const bytes = await written([f16("half", 0x3c00, 0xc000, 0x3800), f32("b", 1.5, -2), f32("a"), f32("Ω", 7)]);
    const file = await SafetensorsFile.open(new MemorySource("file", bytes));
    expect([...file.names()]).to.have.members(["half", "a", "b", "Ω"]);
    expect(file.info("half")).to.include({ dtype: "F16" });
    expect(file.info("a").shape).to.deep.equal([0]);
    expect([...(await file.readFloat32("half"))]).to.deep.equal([1, -2, 0.5]);
    expect([...(await file.readFloat32("b"))]).to.deep.equal([1.5, -2]);
    expect([...(await file.readFloat32("Ω"))]).to.deep.equal([7]);
    expect(Object.fromEntries(file.header.metadata)).to.deep.equal({ format: "pt" });
  });

  it("writes tensors of larger elements first, and those of a size by name, after a header of no more than it takes", async () => {
    const names = ["half", "b", "a", "c", "Ω"];
    const tensors = [f16("half", 1), f32("b", 2), f32("a", 3), f32("c", 4), f32("Ω", 5)];
    const text = (bytes: Uint8Array, end: number): string => new TextDecoder().decode(bytes.subarray(8, end));
    for (const order of [tensors, [...tensors].reverse()]) {
      const bytes = await written(order);
      const dataOffset = bytes.length - 18;
      const places = JSON.parse(text(bytes, dataOffset)) as Record<string, { data_offsets: number[] }>;
      expect(names.map((name) => places[name].data_offsets[0])).to.deep.equal([16, 4, 0, 8, 12]);
      expect(Object.keys(places)).to.deep.equal(["__metadata__", "a", "b", "c", "Ω", "half"]);
      expect(text(bytes, dataOffset)).to.match(/\} {0,7}$/);
    }
  });

  it("writes a tensor that comes in parts", async () => {
    const parts: WritableTensor = {
      ...f32("x", 1, 2),
      read: async function* () {
        for (const value of [1, 2]) yield new Uint8Array(Float32Array.of(value).buffer);
      },
    };
    const file = await SafetensorsFile.open(new MemorySource("file", await written([parts])));
    expect([...(await file.readFloat32("x"))]).to.deep.equal([1, 2]);
  });

  it("puts every tensor at a multiple of its element's size", async () => {
    const bytes = await written([f16("a", 1, 2, 3), f32("b", 1), f16("c", 4), f32("d", 2)], {});
    const { header } = await SafetensorsFile.open(new MemorySource("file", bytes));
    const dataOffset = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(dataOffset % 8).to.equal(0);
    for (const [name, { begin, dtype }] of header.entries) expect(begin % (dtype === "F32" ? 4 : 2), name).to.equal(0);
  });

  it("asks for a tensor when the one before it has been taken", async () => {
    const log: string[] = [];
    const logged = (name: string): WritableTensor => ({
      ...f32(name, 1),
      read: async () => {
        log.push(`read ${name}`);
        return new Uint8Array(4);
      },
    });
    for await (const part of writeSafetensors([logged("a"), logged("b")]))
      log.push(`${part.length > 4 ? "header" : "taken"}`);
    expect(log).to.deep.equal(["header", "read a", "taken", "read b", "taken"]);
  });
});
