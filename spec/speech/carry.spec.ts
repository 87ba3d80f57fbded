import { expect } from "chai";
import type { HistoryPrompt } from "../../bark/voice/history_prompt.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { Carry, concatVoices } from "../../speech/carry.ts";
import { planSpeech } from "../../speech/plan.ts";

/** A voice of n tokens, all of one value. */
function voice(value: number, n: number): HistoryPrompt {
  const rows = (count: number, width: number): NdArray =>
    new NdArray(
      Int32Array.from({ length: count * width }, (_, i) => value + Math.floor(i / width)),
      [count, width],
    );
  return {
    semantic_prompt: new NdArray(new Int32Array(n).fill(value), [n]),
    coarse_prompt: rows(2, n + 1),
    fine_prompt: rows(8, n + 2),
  };
}

const tokens = (of: HistoryPrompt | null): number[] => Array.from(of!.semantic_prompt.data);

describe("carry", () => {
  it("puts voices one behind the other, row by row", () => {
    const both = concatVoices([voice(10, 1), voice(20, 2)]);
    expect(tokens(both)).deep.equal([10, 20, 20]);
    expect(both.coarse_prompt.tolist()).deep.equal([
      [10, 10, 20, 20, 20],
      [11, 11, 21, 21, 21],
    ]);
    expect(both.fine_prompt.shape).deep.equal([8, 7]);
    expect(Array.from(both.fine_prompt.row(7).data)).deep.equal([17, 17, 17, 27, 27, 27, 27]);
  });

  it("holds the last n of a paragraph, behind the voice", () => {
    const long = "The quick brown fox jumps over the lazy dog, and then it runs away; nobody saw it. ";
    const { pieces } = planSpeech(`${long.repeat(4)}\n\n${long} [voice:b] ${long} [chapter:Two] ${long}`);
    expect(pieces.map(({ begins }) => begins)).deep.equal([true, false, false, false, true, true, true]);
    const carry = new Carry(2);
    const heard = pieces.map((piece, i) => {
      const behind = tokens(carry.behind(voice(0, 1), piece));
      carry.add(voice(i + 1, 1));
      return behind;
    });
    expect(heard).deep.equal([[0], [0, 1], [0, 1, 2], [0, 2, 3], [0], [0], [0]]);
  });

  it("has nothing to stand behind without a voice", () => {
    const carry = new Carry(1);
    carry.add(voice(1, 1));
    const [piece] = planSpeech("Hello.").pieces;
    expect(carry.behind(null, { ...piece, begins: false })).equal(null);
  });
});
