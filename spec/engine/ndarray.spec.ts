import { expect } from "chai";
import { EngineError } from "../../engine/errors.ts";
import { NdArray } from "../../engine/ndarray.ts";

const counting = (...shape: number[]) => {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return new NdArray(
    Float32Array.from({ length: size }, (_, i) => i),
    shape,
  );
};

function line(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof EngineError) return `${error.code} ${error.toLine()}`;
    throw error;
  }
  return "no error";
}

describe("NdArray", () => {
  it("knows its dtype and size, and keeps the data", () => {
    const data = [new Float32Array(2), new Int32Array(2), new Uint32Array(2), new Uint8Array(2), new Float64Array(2)];
    const arrays = data.map((values) => new NdArray(values, [2, 1]));
    expect(arrays.map(({ dtype }) => dtype)).to.deep.equal(["float32", "int32", "uint32", "uint8", "float64"]);
    expect(arrays.map(({ size }) => size)).to.deep.equal([2, 2, 2, 2, 2]);
    expect(arrays[1].data).to.equal(data[1]);
  });

  it("keeps a shape of its own", () => {
    const shape = [2, 3];
    const array = new NdArray(new Float32Array(6), shape);
    shape[0] = 3;
    expect(array.shape).to.deep.equal([2, 3]);
  });

  it("refuses data of another length, and invalid shapes", () => {
    const values = (count: number) => new Float32Array(count);
    expect(line(() => new NdArray(values(5), [2, 3]))).to.equal(
      "usage data: array length does not match its shape (expected 6 values for shape [2, 3], got 5 values)",
    );
    for (const [count, shape] of [
      [2, [-1, -2]],
      [5, [2.5, 2]],
      [0, [0, NaN]],
      [0, [0, -1]],
      [2, [2n]],
      [2, 2],
      [2, "2"],
      [2, null],
      [2, undefined],
    ] as const)
      expect(
        line(() => new NdArray(values(count), shape as never)),
        String(shape),
      ).to.match(/^usage shape: cannot be that of an array \(expected a list of integers ≥ 0, got/);
    expect(line(() => new NdArray(values(0), []))).to.match(/^usage data: .*expected 1 values for shape \[\]/);
  });

  it("refuses data that is not a typed array of its kinds", () => {
    for (const [data, found] of [
      [new BigInt64Array(1), "BigInt64Array"],
      [[1], "[1]"],
      ["1", '"1"'],
      [null, "null"],
      [undefined, "nothing"],
      [new DataView(new ArrayBuffer(1)), "DataView"],
    ] as const)
      expect(line(() => new NdArray(data as never, [1]))).to.equal(
        `usage data: cannot be that of an array (expected Float32Array, Int32Array, Uint32Array, Uint8Array, Float64Array, got ${found})`,
      );
  });

  it("nests lists by its shape", () => {
    expect(counting(2, 3).tolist()).to.deep.equal([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(counting(2, 1, 2).tolist()).to.deep.equal([[[0, 1]], [[2, 3]]]);
    expect(counting(3).tolist()).to.deep.equal([0, 1, 2]);
    expect(counting().tolist()).to.equal(0);
    expect(counting(2, 0).tolist()).to.deep.equal([[], []]);
    expect(counting(0, 2).tolist()).to.deep.equal([]);
  });

  it("takes another shape without a copy", () => {
    const array = counting(2, 3);
    expect(array.reshape([3, 2]).tolist()).to.deep.equal([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    expect(array.reshape([6]).data).to.equal(array.data);
    expect(line(() => array.reshape([4]))).to.match(/^usage data: .*expected 4 values for shape \[4\], got 6 values/);
  });

  it("drops axes of extent 1, all or one, without a copy", () => {
    const array = counting(1, 3, 1, 2, 1);
    expect(array.squeeze().shape).to.deep.equal([3, 2]);
    expect(array.squeeze(null).shape).to.deep.equal([3, 2]);
    expect(array.squeeze(0).shape).to.deep.equal([3, 1, 2, 1]);
    expect(array.squeeze(2).shape).to.deep.equal([1, 3, 2, 1]);
    expect(array.squeeze(-1).shape).to.deep.equal([1, 3, 1, 2]);
    expect(array.squeeze(-3).shape).to.deep.equal([1, 3, 2, 1]);
    expect(array.squeeze().data).to.equal(array.data);
    expect(counting(1, 1).squeeze().shape).to.deep.equal([]);
    for (const axis of [1, 5, -6, 0.5, NaN, "x", 0n])
      expect(line(() => array.squeeze(axis as number))).to.match(
        /^usage axis \S+: cannot be dropped from an array of shape \[1, 3, 1, 2, 1\] \(expected an axis of extent 1, got/,
      );
  });

  it("gives rows of the first axis as views", () => {
    const array = counting(3, 2, 2);
    const row = array.row(1);
    expect(row.tolist()).to.deep.equal([
      [4, 5],
      [6, 7],
    ]);
    row.data[0] = 99;
    expect(array.data[4]).to.equal(99);
    expect(counting(3).row(2).tolist()).to.equal(2);
    expect(counting(2, 0).row(1).shape).to.deep.equal([0]);
  });

  it("refuses rows that it does not have", () => {
    for (const index of [3, -1, 0.5, NaN, "0", 0n, undefined])
      expect(line(() => counting(3, 2).row(index as number))).to.match(
        /^usage row \S+: not in an array of shape \[3, 2\]/,
      );
    expect(line(() => counting().row(0))).to.match(/^usage row 0: not in an array of shape \[\]/);
    expect(line(() => counting(0, 2).row(0))).to.match(/^usage row 0: not in an array of shape \[0, 2\]/);
  });
});
