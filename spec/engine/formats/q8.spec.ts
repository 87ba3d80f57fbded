import { expect } from "chai";
import { dequantizeQ8, q8Block, q8BlocksOf, quantizeQ8 } from "../../../engine/formats/q8.ts";
import { Random } from "../../support/mutations/mutations.ts";

/** Values of all sizes from 2^-40 to 2^40, both signs. */
function wild(count: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from(
    { length: count },
    () => (random.below(2 ** 31) / 2 ** 30 - 1) * 2 ** (random.below(80) - 40),
  );
}

const shapes = [
  [3, 32],
  [5, 64],
  [4, 33],
  [2, 31],
  [1, 1],
  [7, 100],
] as const;

describe("q8", () => {
  it("gives the largest value of a block 127 or -127 and the others the nearest step", () => {
    const values = Float32Array.from({ length: q8Block }, (_, i) => i - 16);
    const { quants, scales } = quantizeQ8(values, 1, q8Block);
    expect(scales[0]).to.be.within(16 / 127, (16 / 127) * (1 + 2 ** -16));
    expect(quants[0]).to.equal(-127);
    for (const [i, value] of values.entries()) expect(quants[i]).to.be.closeTo((value * 127) / 16, 0.501);
  });

  it("is off by at most half a step, of the block's own scale", () => {
    for (const [rows, columns] of shapes) {
      const values = wild(rows * columns, rows + columns);
      const q8 = quantizeQ8(values, rows, columns);
      expect(q8.scales.length).to.equal(rows * q8BlocksOf(columns));
      const back = dequantizeQ8(q8, rows, columns);
      for (const [i, value] of values.entries()) {
        const [row, column] = [Math.floor(i / columns), i % columns];
        const begin = row * columns + Math.floor(column / q8Block) * q8Block;
        const block = values.subarray(begin, Math.min(begin + q8Block, (row + 1) * columns));
        const step = Math.max(...block.map(Math.abs)) / 127;
        expect(Math.abs(back[i] - value), `${columns} columns, value ${i}`).to.be.at.most(0.50001 * step);
      }
    }
  });

  it("comes back bit by bit from the values it stands for", () => {
    for (let seed = 0; seed < 200; seed++) {
      const [rows, columns] = shapes[seed % shapes.length];
      const q8 = quantizeQ8(wild(rows * columns, seed), rows, columns);
      const back = dequantizeQ8(q8, rows, columns);
      for (const [i, value] of back.entries()) {
        const scale = q8.scales[Math.floor(i / columns) * q8BlocksOf(columns) + Math.floor((i % columns) / q8Block)];
        expect(value, "the product is exact in f32").to.equal(q8.quants[i] * scale);
      }
      expect(quantizeQ8(back, rows, columns), `seed ${seed}`).to.deep.equal(q8);
    }
  });

  it("keeps a block of zeros, and the smallest numbers of f32 within a step", () => {
    expect(quantizeQ8(new Float32Array(q8Block), 1, q8Block)).to.deep.equal({
      quants: new Int8Array(q8Block),
      scales: new Float32Array(1),
    });
    const tiny = Float32Array.of(2 ** -149, -(2 ** -140), 2 ** -126);
    const q8 = quantizeQ8(tiny, 1, 3);
    expect(dequantizeQ8(q8, 1, 3).every((value, i) => Math.abs(value - tiny[i]) <= q8.scales[0])).to.equal(true);
    expect(quantizeQ8(dequantizeQ8(q8, 1, 3), 1, 3)).to.deep.equal(q8);
  });

  it("reaches the largest number of f32", () => {
    const largest = 3.4028234663852886e38;
    expect(dequantizeQ8(quantizeQ8(Float32Array.of(largest / 2, -largest / 2), 1, 2), 1, 2)[1]).to.be.closeTo(
      -largest / 2,
      largest * 2 ** -17,
    );
  });

  it("does not let pass what is not finite", () => {
    for (const odd of [NaN, Infinity, -Infinity]) {
      const values = new Float32Array(2 * q8Block).fill(1);
      values[3] = odd;
      const back = dequantizeQ8(quantizeQ8(values, 1, 2 * q8Block), 1, 2 * q8Block);
      expect(back.subarray(0, q8Block).every(Number.isNaN), String(odd)).to.equal(true);
      expect(back.subarray(q8Block).every((value) => Math.abs(value - 1) <= 2 ** -16)).to.equal(true);
    }
  });
});
