import { expect } from "chai";
import { Q8Reader } from "../../checkpoint/q8_reader.ts";
import { FakeReader, type FakeTensor } from "../support/files/fake_reader.ts";
import { engineErrorOf } from "../support/rejection.ts";

const quants = Array.from({ length: 3 * 33 }, (_, i) => (i % 21) - 10);
const scales = [0.5, 2, 1, 4, 8, 0.25];
const tensors = {
  x: { dtype: "I8", shape: [3, 33], values: quants },
  x_scale: { dtype: "F32", shape: [3, 2], values: scales },
  plain: { dtype: "F32", shape: [2, 1], values: [5, 6] },
  x_other: { dtype: "F32", shape: [1], values: [9] },
  plain_scale: { dtype: "F32", shape: [2, 1], values: [7, 8] },
} satisfies Record<string, FakeTensor>;
/** What the quants stand for, by row and column. */
const expected = quants.map((quant, i) => quant * scales[2 * Math.floor(i / 33) + (i % 33 < 32 ? 0 : 1)]);
const rowsOf = (...rows: number[]): number[] => rows.flatMap((row) => expected.slice(33 * row, 33 * (row + 1)));

describe("Q8Reader", () => {
  it("leaves a reader without quants as it is", () => {
    const { plain, plain_scale } = tensors;
    const reader = new FakeReader({ plain, plain_scale });
    expect(Q8Reader.over(reader)).to.equal(reader);
  });

  it("shows quants as what they stand for, and hides their scales", async () => {
    const inner = new FakeReader(tensors);
    const reader = Q8Reader.over(inner);
    expect([...reader.names()]).to.deep.equal(["x", "plain", "x_other", "plain_scale"]);
    expect(["x", "x_scale", "plain_scale", "none", "x_other"].map((name) => reader.has(name))).to.deep.equal([
      ...[true, false, true, false, true],
    ]);
    expect(reader.info("x")).to.deep.equal({ dtype: "Q8", shape: [3, 33], file: "x.bin" });
    expect(reader.info("plain").dtype).to.equal("F32");
    expect([...(await reader.readFloat32("x"))]).to.deep.equal(expected);
    expect([...(await reader.readRows("x", 1, 2))]).to.deep.equal(rowsOf(1, 2));
    expect([...(await reader.gatherRows("x", [2, 0]))]).to.deep.equal(rowsOf(2, 0));
    expect([...(await reader.readFloat32("plain"))]).to.deep.equal([5, 6]);
    expect([...(await reader.readRows("plain_scale", 1, 1))]).to.deep.equal([8]);
    expect([...(await reader.gatherRows("plain", [1, 0]))]).to.deep.equal([6, 5]);
    await reader.close();
    expect(inner.isOpen).to.equal(false);
  });

  for (const [name, changes, details] of [
    ["no scales", { x_scale: undefined }, { expected: "F32 [3, 2]", actual: "none" }],
    ["scales of another shape", { x_scale: { dtype: "F32", shape: [3, 1] } }, { actual: "F32 [3, 1]" }],
    ["scales of another dtype", { x_scale: { dtype: "F16", shape: [3, 2] } }, { actual: "F16 [3, 2]" }],
    ["quants of three axes", { x: { dtype: "I8", shape: [3, 11, 3] } }, { expected: "a matrix", actual: "[3, 11, 3]" }],
  ] as const)
    it(`refuses ${name}`, async () => {
      const all = Object.entries({ ...tensors, ...changes }).filter(([, tensor]) => tensor !== undefined);
      const reader = new FakeReader(Object.fromEntries(all));
      expect(await engineErrorOf(() => Q8Reader.over(reader))).to.include({
        ...{ code: "bad-input", where: "x.bin", problem: "I8 tensor x has no fitting x_scale", ...details },
      });
    });
});
