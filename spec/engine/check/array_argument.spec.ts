import { expect } from "chai";
import { checkFinite, checkIds, checkMask, readArray } from "../../../engine/check/array_argument.ts";
import { EngineError } from "../../../engine/errors.ts";
import { NdArray } from "../../../engine/ndarray.ts";

const same = (array: NdArray): NdArray => array;
const read = (value: unknown, axes: readonly number[] = [1, 2]): NdArray => readArray(axes, same)(value, "x");

function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    expect(error).instanceOf(EngineError).with.property("code", "usage");
    return (error as EngineError).toLine();
  }
  return expect.fail("taken");
}

describe("an array as an argument", () => {
  for (const [name, value, shape, data] of [
    ["a list", [1, 2n, true, false], [4], [1, 2, 1, 0]],
    [
      "lists of lists",
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      [3, 2],
      [1, 2, 3, 4, 5, 6],
    ],
    ["lists of typed arrays", [Uint8Array.of(1, 2), [3, 4]], [2, 2], [1, 2, 3, 4]],
    ["a typed array", Int16Array.of(-1, 2), [2], [-1, 2]],
    ["a typed array of bigints", BigInt64Array.of(5n), [1], [5]],
    ["a tensor", { dims: [1, 2], data: Float32Array.of(0.5, 1) }, [1, 2], [0.5, 1]],
    ["a float16 tensor of numbers", { dims: [1], data: Float32Array.of(2), type: "float16" }, [1], [2]],
    ["a tensor of 16 bits that are no float16", { dims: [1], data: Uint16Array.of(2), type: "uint16" }, [1], [2]],
    ["nothing", [], [0], []],
  ] as const)
    it(`is ${name}`, () => {
      const array = read(value);
      expect([array.shape, Array.from(array.data)]).deep.equal([shape, data]);
    });

  it("is an NdArray itself, and a typed array that an NdArray holds is not copied", () => {
    const array = new NdArray(Float32Array.of(1), [1]);
    expect(read(array)).equal(array);
    expect(read(array.data).data).equal(array.data);
  });

  it("is one row where rows are wanted of a typed array, and of nothing else", () => {
    expect(read(Uint8Array.of(1, 2), [2]).shape).deep.equal([1, 2]);
    expect(read(Uint8Array.of(1, 2), [1, 2]).shape).deep.equal([2]);
    expect(refusal(() => read([1, 2], [2]))).equal("x: wrong shape (expected 2 axes, got shape [2])");
    expect(refusal(() => read(Uint8Array.of(1, 2), [3, 4]))).match(/expected 3 or 4 axes, got shape \[2\]/);
  });

  for (const [name, value, line] of [
    ["undefined", undefined, "x: wrong value (expected an array of numbers, got nothing)"],
    ["null", null, "x: wrong value (expected an array of numbers, got null)"],
    ["a number", 5, "x: wrong value (expected an array of numbers, got 5)"],
    ["a DataView", new DataView(new ArrayBuffer(2)), "x: wrong value (expected an array of numbers, got DataView)"],
    [
      "bits",
      { dims: [1], data: Uint16Array.of(1), type: "float16" },
      "x: is a tensor of float16; convert it to float32",
    ],
    [
      "a tensor of other dims than values",
      { dims: [3], data: Float32Array.of(1) },
      "x: wrong shape (expected 1 values, got shape [3])",
    ],
    ["a tensor without a shape", { data: Float32Array.of(1) }, /got an object/],
    ["a tensor of a list", { dims: [1], data: [1] }, /got an object/],
    [
      "ragged rows",
      [[1, 2], [3]],
      "x: wrong shape (expected rows of one length, got lists that do not form an array of numbers)",
    ],
    ["numbers beside rows", [1, [2]], /expected rows of one length/],
    ["texts", [1, "2"], 'x: holds a value that is not a number (got "2" at 1)'],
    ["nulls in rows", [[1], [null]], "x: holds a value that is not a number (got null at 1)"],
  ] as const)
    it(`is not ${name}`, () => {
      const actual = refusal(() => read(value));
      if (typeof line === "string") expect(actual).equal(line);
      else expect(actual).match(line);
    });
});

describe("checks of an array's values", () => {
  const array = (...values: number[]): NdArray => new NdArray(Float64Array.from(values), [values.length]);

  it("ids are integers from 0 on, below an end", () => {
    const good = array(0, 7, 2 ** 31 - 1);
    expect(checkIds(good, "x")).equal(good);
    for (const wrong of [-1, 0.5, NaN, 2 ** 31])
      expect(refusal(() => checkIds(array(1, wrong), "x"))).equal(
        `x: index out of range (expected integers ≥ 0, got ${wrong})`,
      );
    expect(checkIds(array(9), "x", 10).size).equal(1);
    expect(refusal(() => checkIds(array(10), "x", 10))).equal("x: index out of range (expected 0 to 9, got 10)");
  });

  it("masks are 1 and 0", () => {
    const good = array(0, 1, 1);
    expect(checkMask(good, "x")).equal(good);
    for (const wrong of [-1, 0.5, 2, NaN])
      expect(refusal(() => checkMask(array(1, wrong, 0), "x"))).match(
        new RegExp(`^x: holds a value .*expected 1 \\(or true\\) and 0 \\(or false\\), got ${wrong}`),
      );
    expect(refusal(() => checkMask(array(2, 1), "x"))).match(/got 2/);
  });

  it("audio is finite in f32", () => {
    const { data, shape } = checkFinite(new NdArray(Float64Array.of(0.1, 2), [2, 1]), "x");
    expect([data, shape]).deep.equal([Float32Array.of(0.1, 2), [2, 1]]);
    for (const wrong of [NaN, -Infinity, 1e300])
      expect(refusal(() => checkFinite(array(1, wrong), "x"))).equal(
        `x: holds a value that is not finite (got ${wrong} at 1)`,
      );
    expect(refusal(() => checkFinite(array(NaN, 1), "x"))).match(/got NaN at 0/);
  });
});
