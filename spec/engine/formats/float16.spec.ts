import { expect } from "chai";
import {
  floatToHalf,
  halfToFloat,
  packHalves,
  roundToBfloats,
  unpackBfloats,
  unpackHalves,
} from "../../../engine/formats/float16.ts";

/** The value of a half from its 16 digits: sign, exponent in excess 15, fraction (IEEE 754 binary16). */
function valueOf(half: number): number {
  const digits = half.toString(2).padStart(16, "0");
  const exponent = parseInt(digits.slice(1, 6), 2);
  const isNormal = exponent > 0;
  if (exponent === 31) return digits.endsWith("0".repeat(10)) ? (digits[0] === "1" ? -Infinity : Infinity) : NaN;
  let value = isNormal ? 1 : 0;
  for (let i = 0; i < 10; i++) if (digits[6 + i] === "1") value += 1 / 2 ** (i + 1);
  for (let power = Math.max(exponent, 1); power < 15; power++) value /= 2;
  for (let power = 15; power < exponent; power++) value *= 2;
  return digits[0] === "1" ? -value : value;
}

const allHalves = Uint16Array.from({ length: 65536 }, (_, half) => half);
const isNaNHalf = (half: number): boolean => (half & 0x7fff) > 0x7c00;

describe("half to float", () => {
  it("is exact for all 65,536 halves", () => {
    const values = unpackHalves(allHalves);
    let wrong = 0;
    for (const half of allHalves)
      if (!Object.is(values[half], valueOf(half)) || !Object.is(halfToFloat(half), valueOf(half))) wrong++;
    expect(wrong).to.equal(0);
  });

  it("knows some by heart", () => {
    expect([0x3c00, 0x0001, 0x03ff, 0x0400, 0x7bff, 0x8000, 0xfc00].map(halfToFloat)).to.deep.equal([
      1,
      5.960464477539063e-8,
      0.00006097555160522461,
      0.00006103515625,
      65504,
      -0,
      -Infinity,
    ]);
  });
});

describe("float to half", () => {
  it("gives back every half, and a NaN for every NaN", () => {
    const wrong = [...allHalves].filter((half) => {
      if (!isNaNHalf(half)) return floatToHalf(valueOf(half)) !== half;
      const bits = new Uint32Array([((half & 0x8000) << 16) | 0x7f800000 | ((half & 0x3ff) << 13)]);
      return !isNaNHalf(packHalves(new Float32Array(bits.buffer))[0] & 0xffff);
    });
    expect(wrong).to.deep.equal([]);
    expect(floatToHalf(NaN) & 0x7fff).to.equal(0x7e00);
  });

  it("rounds to nearest between any two neighbours, ties to even", () => {
    const word = new Uint32Array(1);
    const float = new Float32Array(word.buffer);
    // The f32 next to `value` towards 0 (-1) or away from it (1).
    const next = (value: number, step: number): number => {
      float[0] = value;
      word[0] += step;
      return float[0];
    };
    let wrong = 0;
    for (let half = 0; half < 0x7bff; half++) {
      const middle = (valueOf(half) + valueOf(half + 1)) / 2; // exact in f32
      const even = half % 2 === 0 ? half : half + 1;
      for (const sign of [0, 0x8000])
        for (const [value, nearest] of [
          [middle, even],
          [next(middle, -1), half],
          [next(middle, 1), half + 1],
        ])
          if (floatToHalf(sign === 0 ? value : -value) !== (sign | nearest)) wrong++;
    }
    expect(wrong).to.equal(0);
  });

  it("goes to 0 below half of the least subnormal, keeping the sign", () => {
    expect(floatToHalf(2 ** -25)).to.equal(0);
    expect(floatToHalf(-(2 ** -25))).to.equal(0x8000);
    expect(floatToHalf(2 ** -25 + 2 ** -48)).to.equal(1);
    expect(floatToHalf(1e-45)).to.equal(0);
    expect(floatToHalf(-0)).to.equal(0x8000);
  });

  it("goes to infinity from half a unit above the largest half on", () => {
    expect(floatToHalf(65519.99609375)).to.equal(0x7bff);
    expect(floatToHalf(65520)).to.equal(0x7c00);
    expect(floatToHalf(-65520)).to.equal(0xfc00);
    expect(floatToHalf(3.4e38)).to.equal(0x7c00);
    expect(floatToHalf(-Infinity)).to.equal(0xfc00);
  });
});

describe("packing", () => {
  it("puts two halves into a word, the first into its low half, and fills up with 0", () => {
    expect([...packHalves(Float32Array.of(1, -2, 65504))]).to.deep.equal([0xc0003c00, 0x7bff]);
    expect(packHalves(new Float32Array(0)).length).to.equal(0);
  });

  it("widens bfloat16 by its bits", () => {
    const values = unpackBfloats(allHalves);
    const words = new Uint32Array(values.buffer);
    expect(words.every((bits, i) => bits === i * 65536)).to.equal(true);
    expect([...unpackBfloats(Uint16Array.of(0x3f80, 0xbf00, 0x7f80, 0x0080))]).to.deep.equal([
      1,
      -0.5,
      Infinity,
      2 ** -126,
    ]);
  });
});

describe("rounding to bfloat16", () => {
  it("gives the nearest, ties to even, infinity beyond the range, and NaN for NaN", () => {
    const word = (bits: number): number => new Float32Array(Uint32Array.of(bits).buffer)[0];
    const cases: [from: number, to: number][] = [
      [0x3f808000, 0x3f800000],
      [0x3f808001, 0x3f810000],
      [0x3f818000, 0x3f820000],
      [0xbf807fff, 0xbf800000],
      [0x7f7fffff, 0x7f800000],
      [0x80000001, 0x80000000],
    ];
    const rounded = roundToBfloats(Float32Array.from(cases, ([from]) => word(from)));
    for (const [i, [, to]] of cases.entries()) expect(rounded[i], `${i}`).to.equal(word(to));
    expect([...roundToBfloats(Float32Array.of(NaN, -Infinity))]).to.deep.equal([NaN, -Infinity]);
  });
});
