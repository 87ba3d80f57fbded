import { expect } from "chai";
import { RoundedReader } from "../../checkpoint/rounded_reader.ts";
import { FakeReader } from "../support/files/fake_reader.ts";

describe("a checkpoint rounded to 16 bits", () => {
  // Beside the first bfloat16 above 1: nearer to it, half-way (to even), nearer to 1; above 256 halves are a quarter apart.
  const step = 2 ** -7;
  const values = [1 + 0.6 * step, 1 + 0.5 * step, 1 + 1.5 * step, -(1 + 0.4 * step), 300.1, 0];
  const fake = (): FakeReader =>
    new FakeReader({
      table: { dtype: "F32", shape: [3, 2], values },
      mask: { dtype: "BOOL", shape: [1] },
      old: { dtype: "F16", shape: [1], values: [0.5] },
    });

  it("has values that bfloat16 holds, ties to even, however they are read", async () => {
    const reader = new RoundedReader(fake(), "BF16");
    const rounded = [1 + step, 1, 1 + 2 * step, -1, 300, 0];
    expect([...(await reader.readFloat32("table"))]).to.deep.equal(rounded);
    expect([...(await reader.readRows("table", 1, 2))]).to.deep.equal(rounded.slice(2));
    expect([...(await reader.gatherRows("table", [2, 0]))]).to.deep.equal([300, 0, 1 + step, 1]);
  });

  it("has values that halves hold", async () => {
    const reader = new RoundedReader(fake(), "F16");
    expect([...(await reader.readRows("table", 2, 1))]).to.deep.equal([300, 0]);
    expect((await reader.readFloat32("table"))[0]).closeTo(values[0], 2 ** -11);
  });

  it("says the dtype of floats, and leaves the rest as it is", async () => {
    const inner = fake();
    const reader = new RoundedReader(inner, "BF16");
    expect([...reader.names()].map((name) => reader.info(name).dtype)).to.deep.equal(["BF16", "BOOL", "BF16"]);
    expect([reader.has("mask"), reader.has("none")]).to.deep.equal([true, false]);
    await reader.close();
    expect(inner.isOpen).to.equal(false);
  });
});
