import { expect } from "chai";
import { planTensors } from "../../convert/plan_tensors.ts";
import type { WritableTensor } from "../../checkpoint/safetensors/writer.ts";
import { planShards, shardIndex } from "../../checkpoint/safetensors/shards.ts";
import { isStorable, readBlocks, storedTensor, type TargetDtype } from "../../checkpoint/stored_tensor.ts";
import { floatToHalf } from "../../engine/formats/float16.ts";
import { quantizeQ8 } from "../../engine/formats/q8.ts";
import { FakeReader, type FakeTensor } from "../support/files/fake_reader.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { bytesOf } from "../support/files/safetensors_bytes.ts";

const matrix = "semantic.layers.0.mlp.in_proj.weight";
const values = [1.5, -2, 0.25, 65504];

async function contentOf(tensor: WritableTensor): Promise<Uint8Array> {
  const content = tensor.read();
  if (content instanceof Promise) return await content;
  const parts: number[] = [];
  for await (const part of content) parts.push(...part);
  return Uint8Array.from(parts);
}

/** Dtype and content of the one tensor that is written. */
async function stored(name: string, tensor: FakeTensor, wanted?: TargetDtype): Promise<[string, Uint8Array]> {
  const [written, ...others] = storedTensor(new FakeReader({ [name]: tensor }), name, wanted);
  expect(others).to.deep.equal([]);
  const content = await contentOf(written);
  expect(written).to.deep.include({ name, shape: tensor.shape, byteLength: content.length });
  return [written.dtype, content];
}

const asF32 = bytesOf(Float32Array.from(values));
const asF16 = bytesOf(Uint16Array.from(values, floatToHalf));

describe("storedTensor", () => {
  const found = (dtype: string): FakeTensor => ({ dtype, shape: [2, 2], values });

  it("keeps a tensor as it is stored, F64 as F32, where nothing else is wanted", async () => {
    expect(await stored("x", found("F32"))).to.deep.equal(["F32", asF32]);
    expect(await stored("x", found("F64"))).to.deep.equal(["F32", asF32]);
    expect(await stored("x", found("F16"))).to.deep.equal(["F16", asF16]);
    const [dtype, content] = await stored("x", found("BF16"));
    expect(dtype).to.equal("BF16");
    // The upper halves of the floats.
    expect(content).to.deep.equal(Uint8Array.from(asF32.filter((_, i) => i % 4 > 1)));
  });

  it("converts to what is wanted, but for what the codec's training left", async () => {
    for (const dtype of ["F32", "F64", "F16", "BF16"]) {
      expect(await stored("x", found(dtype), "F32")).to.deep.equal(["F32", asF32]);
      expect(await stored("x", found(dtype), "F16")).to.deep.equal(["F16", asF16]);
      expect(await stored("x", found(dtype), "Q8"), "no matrix of a layer").to.deep.equal(["F16", asF16]);
      expect(await stored(matrix, found(dtype), "F16")).to.deep.equal(["F16", asF16]);
    }
    for (const wanted of ["F32", "F16", "Q8"] as const)
      expect((await stored("codec_model.quantizer.layers.0.codebook.embed_avg", found("BF16"), wanted))[0]).to.equal(
        "BF16",
      );
  });

  it("writes quants and scales of the matrices that bear it", async () => {
    const rows = Array.from({ length: 3 * 33 }, (_, i) => Math.sin(i));
    const reader = new FakeReader({ [matrix]: { dtype: "F32", shape: [3, 33], values: rows } });
    const [quants, scales, ...others] = storedTensor(reader, matrix, "Q8");
    const expected = quantizeQ8(Float32Array.from(rows), 3, 33);
    expect(others).to.deep.equal([]);
    expect(quants).to.deep.include({ name: matrix, dtype: "I8", shape: [3, 33], byteLength: 99 });
    expect(scales).to.deep.include({ name: `${matrix}_scale`, dtype: "F32", shape: [3, 2], byteLength: 24 });
    expect(await contentOf(quants)).to.deep.equal(bytesOf(expected.quants));
    expect(await contentOf(scales)).to.deep.equal(bytesOf(expected.scales));
    const kept = new FakeReader({ y: { dtype: "Q8", shape: [3, 33], values: rows } });
    expect(storedTensor(kept, "y").map(({ name }) => name)).to.deep.equal(["y", "y_scale"]);
    expect(storedTensor(kept, "y", "F32").map(({ dtype }) => dtype)).to.deep.equal(["F32"]);
  });

  it("refuses dtypes that are no weights, and quants of what is not a matrix", async () => {
    const counts = new FakeReader({ x: { dtype: "I64", shape: [1] } });
    expect(await engineErrorOf(() => storedTensor(counts, "x"))).to.include({
      ...{ code: "bad-input", where: "x.bin: tensor x", expected: "F32, F64, F16, BF16, Q8", actual: "I64" },
    });
    expect([isStorable("F64"), isStorable("toString")]).to.deep.equal([true, false]);
    const cube = new FakeReader({ [matrix]: { dtype: "F32", shape: [1, 2, 3] } });
    expect(await engineErrorOf(() => storedTensor(cube, matrix, "Q8"))).to.include({
      ...{ code: "bad-input", where: `x.bin: tensor ${matrix}`, problem: "is not a matrix", actual: "shape [1, 2, 3]" },
    });
  });

  it("refuses values beyond f16, of what is not stored in it", async () => {
    const one = (dtype: string, value: number): FakeTensor => ({ dtype, shape: [1], values: [value] });
    for (const dtype of ["F32", "BF16", "F64"])
      for (const value of [65520, -65520, 1e30])
        expect(await engineErrorOf(() => stored("x", one(dtype, value), "F16"))).to.include({
          ...{ code: "bad-input", where: "x.bin: tensor x", expected: "less than 65520", actual: Math.fround(value) },
          fix: "convert with --dtype f32",
        });
    for (const value of [65519, -65519, Infinity, NaN])
      expect((await stored("x", one("F32", value), "F16"))[1]).to.deep.equal(
        bytesOf(Uint16Array.of(floatToHalf(value))),
      );
    expect((await stored("x", one("F16", 70_000), "F16"))[0]).to.equal("F16");
    expect((await stored("x", one("BF16", 70_000)))[0]).to.equal("BF16");
    expect((await stored("x", one("F32", 70_000), "F32"))[0]).to.equal("F32");
  });

  it("refuses values that q8 cannot hold", async () => {
    const bad = new FakeReader({ [matrix]: { dtype: "F32", shape: [2, 2], values: [1, 2, 1, NaN] } });
    for (const part of storedTensor(bad, matrix, "Q8"))
      expect(await engineErrorOf(() => contentOf(part))).to.include({
        ...{ code: "bad-input", where: `x.bin: tensor ${matrix}`, fix: "convert with --dtype f32" },
      });
  });
});

describe("readBlocks", () => {
  const readsOf = async (shape: readonly number[]): Promise<unknown[]> => {
    const reader = new FakeReader({ x: { dtype: "F32", shape, values: shape.length === 0 ? [7] : [] } });
    const blocks = [];
    for await (const block of readBlocks(reader, "x")) blocks.push(block);
    expect(blocks).to.have.length(reader.reads.length);
    return reader.reads.map(([, ...of]) => of);
  };

  it("reads whole rows, of 2^23 values where a row is not larger", async () => {
    expect(await readsOf([5, 2 ** 22])).to.deep.equal([
      [0, 2],
      [2, 2],
      [4, 1],
    ]);
    expect(await readsOf([4, 2 ** 22])).to.deep.equal([
      [0, 2],
      [2, 2],
    ]);
    expect(await readsOf([2, 2, 2 ** 24])).to.deep.equal([
      [0, 1],
      [1, 1],
    ]);
    expect(await readsOf([3, 2])).to.deep.equal([[0, 3]]);
  });

  it("reads a scalar whole, and nothing of what is empty", async () => {
    expect(await readsOf([])).to.deep.equal([[]]);
    expect(await readsOf([3, 0])).to.deep.equal([]);
    expect(await readsOf([0, 3])).to.deep.equal([]);
  });
});

describe("planTensors", () => {
  const namesOf = async (tensors: Record<string, FakeTensor>, config: object = {}): Promise<string[]> =>
    (await planTensors(new FakeReader(tensors), config as never, "F32")).map(({ name }) => name);
  const table = (items = [1, 2, 3, 4], shape = [2, 2]): FakeTensor => ({ dtype: "F32", shape, values: items });

  it("leaves out masks and sizes of convolutions", async () => {
    const weights = ["a.attn.bias_x", "codec_model.a.stride.weight", "semantic.a.stride", "b.attn.biases"];
    const others = [
      "semantic.layers.0.attn.bias",
      ...["stride", "kernel_size", "padding_total"].map((name) => `codec_model.a.conv.${name}`),
    ];
    const all = Object.fromEntries([...weights, ...others].map((name) => [name, table()]));
    expect(await namesOf(all)).to.have.members(weights);
  });

  it("leaves out heads that are the embedding they are tied to", async () => {
    const head = (prefix: string, i: number): string => `${prefix}lm_heads.${i}.weight`;
    const embedding = (prefix: string, i: number): string => `${prefix}input_embeds_layers.${i}.weight`;
    for (const prefix of ["", "fine_acoustics."])
      for (const i of [0, 10]) {
        const [tied, other] = [head(prefix, i), embedding(prefix, i + 1)];
        const config = (fields: object): object => (prefix === "" ? fields : { fine_acoustics_config: fields });
        const tensors = { [tied]: table(), [other]: table() };
        expect(await namesOf(tensors, config({}))).to.deep.equal([other]);
        expect(await namesOf(tensors, config({ tie_word_embeddings: true, n_codes_given: 1 }))).to.deep.equal([other]);
        for (const fields of [{ tie_word_embeddings: false }, { n_codes_given: 2 }])
          expect(await namesOf(tensors, config(fields))).to.deep.equal([tied, other]);
        for (const different of [table([1, 2, 3, 5]), table([5, 2, 3, 4]), table([1, 2, 3, 4], [4, 1])])
          expect(await namesOf({ ...tensors, [other]: different }, config({}))).to.deep.equal([tied, other]);
        expect(await namesOf({ [tied]: table() }, config({}))).to.deep.equal([tied]);
        expect(await namesOf({ [tied]: table(), [embedding(prefix, i)]: table() })).to.have.length(2);
      }
    expect(
      await namesOf({ [head("", 0)]: table(), [embedding("", 1)]: table() }, { fine_acoustics_config: 5 }),
    ).to.have.length(2);
    for (const name of ["x.lm_heads.0.weight", "lm_heads.0.weight_x", "lm_heads.a.weight"])
      expect(
        await namesOf({ [name]: table(), [embedding("", 1)]: table(), "x.input_embeds_layers.1.weight": table() }),
      ).to.include(name);
  });

  it("asks for the dtype, or keeps what is stored", async () => {
    const reader = new FakeReader({ x: { dtype: "BF16", shape: [1], values: [1] } });
    expect((await planTensors(reader, {}))[0].dtype).to.equal("BF16");
    expect((await planTensors(reader, {}, "F16"))[0].dtype).to.equal("F16");
  });
});

describe("planShards", () => {
  const tensor = (name: string, byteLength: number): WritableTensor => ({
    name,
    dtype: "F32",
    shape: [byteLength / 4],
    byteLength,
    read: () => Promise.resolve(new Uint8Array(0)),
  });
  const plan = (sizes: readonly number[], limit?: number): number[][] =>
    planShards(
      sizes.map((size, i) => tensor(`t${i}`, size)),
      limit,
    ).map(({ tensors }) => tensors.map(({ byteLength }) => byteLength));

  it("fills each file to its limit, in order", () => {
    expect(plan([4, 4, 4, 8, 4], 8)).to.deep.equal([[4, 4], [4], [8], [4]]);
    expect(plan([12, 4, 4, 12], 8)).to.deep.equal([[12], [4, 4], [12]]);
    expect(plan([4, 4], 8)).to.deep.equal([[4, 4]]);
    expect(plan([], 8)).to.deep.equal([[]]);
    expect(plan([1e9, 1e9])).to.deep.equal([[1e9, 1e9]]);
    expect(plan([1e9, 1e9, 4])).to.deep.equal([[1e9, 1e9], [4]]);
  });

  it("names one file, or each of many, and an index of them", () => {
    const tensors = ["a", "b", "c"].map((name) => tensor(name, 8));
    expect(planShards(tensors, 24).map(({ file }) => file)).to.deep.equal(["model.safetensors"]);
    const shards = planShards(tensors, 16);
    const files = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    expect(shards.map(({ file }) => file)).to.deep.equal(files);
    expect(shardIndex(shards)).to.deep.equal({
      metadata: { total_size: 24 },
      weight_map: { a: files[0], b: files[0], c: files[1] },
    });
  });
});
