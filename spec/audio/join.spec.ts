import { expect } from "chai";
import { defaultGaps, Joiner, type JoinOptions } from "../../audio/join.ts";
import { EngineError } from "../../engine/errors.ts";

const rate = 24000;
const ms = (length: number): number => (length * rate) / 1000;

/** A vowel between silences: 180 Hz and a formant. `at` is its phase, so that a piece begins and ends anywhere in a wave. */
function piece(before: number, tone: number, after: number, { level = 0.5, at = 1 } = {}): Float32Array<ArrayBuffer> {
  const samples = new Float32Array(before + tone + after);
  const wave = (hertz: number, i: number): number => Math.cos((2 * Math.PI * hertz * i) / rate + at);
  for (let i = 0; i < tone; i++) samples[before + i] = level * (0.8 * wave(180, i) + 0.2 * wave(900, i));
  return samples;
}

const silent = new Float32Array(ms(300));
const concat = (parts: readonly Float32Array[]): number[] => parts.flatMap((part) => [...part]);
const bend = (x: readonly number[], i: number): number => Math.abs(x[i - 1] - 2 * x[i] + x[i + 1]);

describe("joining pieces of speech", () => {
  it("keeps 50 ms before the first loud sample and 100 ms after the last", () => {
    const { audio, start, end, skipped } = new Joiner(rate).add(piece(ms(400), ms(200), ms(700)));
    // The first sample of the tone is loud.
    expect([audio.length, start, end, skipped]).deep.equal([ms(350), 0, ms(350), ms(350)]);
    const plain = new Joiner(rate, { fade: 0, before: 10, after: 0 }).add(piece(ms(400), ms(200), ms(700)));
    expect([...plain.audio.subarray(ms(10))]).deep.equal([...piece(0, ms(200), 0)]);
  });

  it("keeps what there is of a piece without silence around it", () => {
    expect(new Joiner(rate).add(piece(0, ms(200), ms(30))).audio.length).equal(ms(230));
  });

  it("cuts at -45 dB below full scale, or where it is told", () => {
    const quiet = (level: number, options?: JoinOptions): number =>
      new Joiner(rate, options).add(piece(0, ms(50), 0, { level, at: 0 })).audio.length;
    expect([quiet(0.0056), quiet(0.0057)]).deep.equal([0, ms(50)]);
    expect(quiet(0.0056, { threshold: -46 })).equal(ms(50));
  });

  it("cuts nothing at -Infinity dB but digital silence", () => {
    const { audio } = new Joiner(rate, { threshold: -Infinity, fade: 0 }).add(piece(0, ms(50), 0, { level: 1e-6 }));
    expect(audio.length).equal(ms(50));
  });

  it("puts silence of exact length before a piece, and tells where the piece lies", () => {
    const joiner = new Joiner(rate);
    const parts = [joiner.add(piece(100, 5000, 100)), joiner.add(piece(0, 3000, 0), defaultGaps.paragraph)];
    expect([parts[1].start, parts[1].end]).deep.equal([5200 + ms(600), 5200 + ms(600) + 3000]);
    const whole = concat(parts.map(({ audio }) => audio));
    expect(whole.length).equal(joiner.position);
    expect(whole.slice(5200, parts[1].start).every((sample) => sample === 0)).equal(true);
  });

  it("makes nothing of a silent piece; of the gaps around it the longest stays", () => {
    const joiner = new Joiner(rate);
    joiner.add(piece(0, 1000, 0));
    expect(joiner.add(silent, 600)).deep.include({ audio: new Float32Array(0), start: 1000, end: 1000 });
    expect(joiner.add(piece(0, 1000, 0), 250).start).equal(1000 + ms(600));
  });

  it("gives a pause of its own length beside the gap", () => {
    const joiner = new Joiner(rate);
    joiner.add(piece(0, 1000, 0));
    expect(joiner.silence(1500).length).equal(ms(1500));
    expect(joiner.add(piece(0, 1000, 0), 250).start).equal(1000 + ms(1750));
  });

  const partitions = { "1 sample": 1, "7 samples": 7, "997 samples": 997, "one part": 1e9 };
  for (const [name, size] of Object.entries(partitions))
    it(`makes the same of parts of ${name} as of the whole`, () => {
      const samples = Float32Array.from(concat([piece(2000, 900, 3000), piece(0, 400, 4000)]));
      const whole = new Joiner(rate).add(samples, 20);
      const joiner = new Joiner(rate);
      joiner.begin(20);
      const parts: Float32Array[] = [];
      for (let at = 0; at < samples.length; at += size) parts.push(joiner.push(samples.subarray(at, at + size)));
      const last = joiner.end();
      expect([last.start, last.end]).deep.equal([whole.start, whole.end]);
      expect(concat([...parts, last.audio])).deep.equal([...whole.audio]);
    });

  it("gives samples out before the piece ends, up to the fade of the earliest end", () => {
    const joiner = new Joiner(rate);
    joiner.begin();
    expect(joiner.push(piece(0, 2000, 0)).length).equal(2000 - ms(5));
    expect(joiner.push(new Float32Array(ms(50))).length).equal(ms(50));
    expect(joiner.push(new Float32Array(ms(500))).length).equal(ms(50));
  });

  it("has no click at a seam: nowhere does the wave bend more than inside the pieces", () => {
    const joiner = new Joiner(rate);
    const parts = [0, 1, 2, 3, 4, 5].map((at) =>
      joiner.add(piece(0, ms(300), 0, { at, level: 0.9 }), at % 2 === 0 ? 0 : defaultGaps.comma),
    );
    const whole = concat(parts.map(({ audio }) => audio));
    const seams = parts.flatMap(({ start, end }) => [start, end]).filter((at) => at > 0 && at < whole.length);
    const isNear = (i: number): boolean => seams.some((seam) => Math.abs(seam - i) <= ms(5));
    const bends = whole.slice(1, -1).map((_, i) => ({ bend: bend(whole, i + 1), isSeam: isNear(i + 1) }));
    const elsewhere = bends.flatMap(({ bend, isSeam }) => (isSeam ? [] : [bend])).sort((a, b) => a - b);
    const limit = elsewhere[Math.floor(elsewhere.length * 0.999)];
    expect(Math.max(...bends.flatMap(({ bend, isSeam }) => (isSeam ? [bend] : [])))).below(limit);
    // Without the fades the same seams click.
    const hard = new Joiner(rate, { fade: 0 });
    const bare = concat([0, 1].map((at) => hard.add(piece(0, ms(300), 0, { at, level: 0.9 })).audio));
    expect(bend(bare, ms(300))).above(10 * limit);
  });

  const refusals: readonly [name: string, call: () => unknown, says: RegExp][] = [
    ["an unknown option", () => new Joiner(rate, { fades: 5 } as JoinOptions), /fades/],
    ["a length below 0", () => new Joiner(rate, { before: -1 }), /before: .*≥ 0/],
    ["a rate of 0", () => new Joiner(0), /sampling_rate/],
    ["samples that are not finite", () => new Joiner(rate).add([0, NaN]), /samples: .*not finite/],
    ["a part without a piece", () => new Joiner(rate).push([0]), /Joiner: no piece has begun/],
    [
      "a piece within a piece",
      () => {
        const joiner = new Joiner(rate);
        joiner.begin();
        joiner.begin();
      },
      /Joiner: a piece has begun/,
    ],
  ];
  for (const [name, call, says] of refusals)
    it(`refuses ${name}`, () => {
      expect(call).throws(EngineError, says);
    });
});
