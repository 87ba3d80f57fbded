import { expect } from "chai";
import { align, bestAlignment } from "../../../speech/words/align.ts";
import type { TextWord } from "../../../speech/words/words_of.ts";

/** Two slots a word. */
function wordsOf(count: number): TextWord[] {
  return Array.from({ length: count }, (_, i) => ({ from: i, to: i + 1, first: 2 * i, end: 2 * i + 2 }));
}

/** A head that looks at these words, one a token. @param share of its attention that goes there; the rest goes everywhere. */
function headOf(words: readonly number[], count: number, share = 0.8): Float32Array {
  const keys = 2 * count;
  return Float32Array.from({ length: words.length * keys }, (_, i) => {
    const [token, slot] = [Math.floor(i / keys), i % keys];
    return (1 - share) / keys + (slot >> 1 === words[token] ? share / 2 : 0);
  });
}

describe("align", () => {
  it("finds where each word begins", () => {
    const { starts, gain } = align(headOf([0, 0, 0, 1, 2, 2, 3, 3], 4), 8, wordsOf(4))!;
    expect(starts).deep.equal([0, 3, 4, 6]);
    expect(gain).within(0.7 * Math.log(4), Math.log(4));
  });

  it("says every word in order, whatever the head looks back at", () => {
    expect(align(headOf([0, 0, 2, 0, 1, 1, 2, 2], 3), 6, wordsOf(3))!.starts).deep.equal([0, 4, 6]);
    expect(align(headOf([2, 1, 0], 3), 6, wordsOf(3))!.starts).deep.equal([0, 1, 2]);
  });

  it("gives one word all tokens, and none without words or with fewer tokens than words", () => {
    expect(align(headOf([0, 0], 1), 2, wordsOf(1))!.starts).deep.equal([0]);
    expect(align(headOf([0, 1], 3), 6, wordsOf(3))).equal(undefined);
    expect(align(headOf([0, 1], 3), 6, [])).equal(undefined);
  });

  it("gains nothing from a head that looks at one place", () => {
    expect(align(headOf([1, 1, 1, 1, 1, 1, 1, 1, 1], 3), 6, wordsOf(3))!.gain).within(-1e-6, 1e-6);
  });

  it("takes the head of any layer that follows the text best", async () => {
    const [fixed, right, noisy] = [
      headOf([1, 1, 1, 1, 1, 1], 3, 0.99),
      headOf([0, 0, 1, 1, 2, 2], 3, 0.8),
      headOf([0, 1, 1, 1, 1, 2], 3, 0.4),
    ];
    async function* layers(): AsyncGenerator<Float32Array, void, undefined> {
      yield await Promise.resolve(Float32Array.from([...fixed, ...noisy]));
      yield Float32Array.from([...noisy, ...right]);
      yield Float32Array.from([...fixed, ...fixed]);
    }
    const best = await bestAlignment(layers(), { heads: 2, keys: 6, words: wordsOf(3) });
    expect(best!.starts).deep.equal([0, 2, 4]);
  });
});
