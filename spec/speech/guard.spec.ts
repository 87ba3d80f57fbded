import { expect } from "chai";
import { guard, Pace, type Take } from "../../speech/guard.ts";
import { seedOf } from "../../speech/speak.ts";

const rate = 24000;

/** Seconds of a tone, negative: of silence. */
function sound(...parts: number[]): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    parts.flatMap((seconds) =>
      Array.from({ length: Math.round(Math.abs(seconds) * rate) }, (_, i) =>
        seconds > 0 ? 0.3 * Math.sin(i / 10) : 0,
      ),
    ),
  );
}

describe("guard", () => {
  // 42 letters: 3 seconds.
  const text = "A sentence of letters, forty-two in number.";
  const flagsOf = (take: Partial<Take>, pace = new Pace()): readonly string[] =>
    guard({ text, audio: sound(3), rate, semantic: [1, 2, 3], semanticRate: 50, hasEnded: true, ...take }, pace).flags;
  const counted = Array.from({ length: 200 }, (_, i) => i);

  it("finds nothing in good speech", () => {
    expect(flagsOf({})).deep.equal([]);
    expect(flagsOf({ audio: sound(-0.3, 1, -0.4, 2, -0.5), semantic: counted })).deep.equal([]);
    expect(flagsOf({ text: "Yes.", audio: sound(2) })).deep.equal([]);
  });

  for (const [name, take, flag] of [
    ["speech that does not end", { hasEnded: false }, "no-end"],
    ["a sentence in half a second", { audio: sound(0.5) }, "too-short"],
    ["a sentence in nine seconds", { audio: sound(9) }, "too-long"],
    ["silence", { audio: sound(-3) }, "quiet"],
    ["two seconds of silence inside", { audio: sound(0.5, -2, 2) }, "silence"],
    ["a word in much silence", { audio: sound(-2, 1, -2) }, "mostly-silent"],
    ["a token that stays", { semantic: [...counted, ...Array.from({ length: 30 }, () => 7), 1] }, "loop"],
    [
      "tokens that repeat",
      { semantic: [...counted, ...Array.from({ length: 5 }, () => [1, 2, 3, 4, 5, 6, 7, 8, 9]).flat()] },
      "loop",
    ],
    ["samples over full scale", { audio: sound(3).map((sample) => sample * 4) }, "clipped"],
  ] as const)
    it(`finds ${name}`, () => expect(flagsOf(take)).include(flag));

  it("cuts sound off that begins again after the text", () => {
    const { audio, flags } = guard(
      { text, audio: sound(3, -1, 1), rate, semantic: [1], semanticRate: 50, hasEnded: true },
      new Pace(),
    );
    expect(flags).deep.equal(["tail"]);
    expect(audio.length).within(2.98 * rate, 3.02 * rate);
    // A pause inside the text is no end.
    expect(flagsOf({ audio: sound(1.2, -1, 1.8) })).deep.equal([]);
  });

  it("learns how fast a voice speaks", () => {
    const pace = new Pace();
    for (let i = 0; i < 20; i++) pace.add(text, 9);
    expect(flagsOf({ audio: sound(9) }, pace)).deep.equal([]);
  });
});

describe("seedOf", () => {
  it("is the caller's seed first, then another for each text and attempt, whatever the place", () => {
    expect(seedOf(7n, "a", 0)).equal(7n);
    const seeds = [seedOf(7n, "a", 1), seedOf(7n, "a", 2), seedOf(7n, "b", 1), seedOf(8n, "a", 1)];
    expect(new Set(seeds).size).equal(4);
    for (const seed of seeds) expect(seed < 2n ** 64n && seed >= 0n).equal(true);
    expect(seedOf(7n, "a", 1)).equal(seeds[0]);
  });
});
