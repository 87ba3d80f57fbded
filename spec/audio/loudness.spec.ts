import { expect } from "chai";
import { integratedLoudness, loudnessGain, truePeak } from "../../audio/loudness.ts";
import { EngineError } from "../../engine/errors.ts";

/** Tones one after another: seconds and dBFS of the peak. */
function tones(rate: number, parts: readonly (readonly [seconds: number, level: number])[], hertz = 1000) {
  const whole: number[] = [];
  for (const [seconds, level] of parts)
    for (let i = 0; i < Math.round(seconds * rate); i++)
      whole.push(10 ** (level / 20) * Math.sin((2 * Math.PI * hertz * i) / rate));
  return Float32Array.from(whole);
}

/**
 * EBU Tech 3341's cases have the tone in both channels, where its loudness is its peak level; one channel alone has 3.01 LU
 * less.
 */
const oneChannel = 10 * Math.log10(2);

describe("loudness", () => {
  it("of 997 Hz at full scale in one channel is -3.01 LUFS (BS.1770-4)", () => {
    expect(integratedLoudness(tones(48_000, [[5, 0]], 997), 48_000)).closeTo(-3.01, 0.01);
  });

  const cases: readonly [name: string, expected: number, parts: [number, number][]][] = [
    ["1: -23 dBFS", -23, [[20, -23]]],
    ["2: -33 dBFS", -33, [[20, -33]]],
    [
      "3: the gate leaves out what is 10 LU below",
      -23,
      [
        [10, -36],
        [60, -23],
        [10, -36],
      ],
    ],
    [
      "4: and what is below -70 LUFS",
      -23,
      [
        [10, -72],
        [10, -36],
        [60, -23],
        [10, -36],
        [10, -72],
      ],
    ],
    [
      "5: what is above the gate counts",
      -23,
      [
        [20, -26],
        [20.1, -20],
        [20, -26],
      ],
    ],
  ];
  for (const rate of [24_000, 48_000])
    for (const [name, expected, parts] of cases)
      it(`is that of EBU Tech 3341, case ${name}, at ${rate} Hz`, () => {
        const loudness = integratedLoudness(tones(rate, parts), rate) + oneChannel;
        expect(loudness).closeTo(expected, 0.1);
      });

  /** Syllables of a voice-like buzz, with pauses. */
  function syllables(rate: number): Float32Array {
    let phase = 0;
    return Float32Array.from({ length: 8 * rate }, (_, i) => {
      const t = i / rate;
      phase += (120 + 40 * Math.sin(2 * t)) / rate;
      const syllable = Math.max(0, Math.sin(2 * Math.PI * 3.1 * t)) ** 2 * (t % 2.7 < 2 ? 1 : 0);
      let buzz = 0;
      for (let k = 1; k <= 30; k++) buzz += Math.sin(2 * Math.PI * k * phase) / k;
      return 0.35 * syllable * buzz;
    });
  }

  it("of syllables, and their true peak, are those of ffmpeg's ebur128", () => {
    // ffmpeg -f f32le -ar 24000 -ac 1 -i FILE -af aresample=48000,ebur128=peak=true -f null - (5.1.9)
    const samples = syllables(24_000);
    expect(integratedLoudness(samples, 24_000)).closeTo(-18.6, 0.06);
    expect(truePeak(samples)).closeTo(-4.0, 0.06);
  });

  it("weighs tones alike at every rate", () => {
    for (const hertz of [60, 500, 3000, 8000]) {
      const at = (rate: number): number => integratedLoudness(tones(rate, [[2, -20]], hertz), rate);
      // The bilinear transform bends what is near half the rate.
      expect(at(24_000), `${hertz} Hz`).closeTo(at(48_000), hertz > 1000 ? 0.2 : 0.05);
    }
  });

  it("of silence, and of less than a block, is -Infinity", () => {
    expect(integratedLoudness(new Float32Array(48_000), 24_000)).equal(-Infinity);
    expect(integratedLoudness(tones(24_000, [[0.39, 0]]), 24_000)).equal(-Infinity);
  });

  it("finds the peak between samples: at a quarter of the rate a tone of 45 degrees has none of its peaks in them", () => {
    const samples = Float32Array.from({ length: 4800 }, (_, i) => Math.sin((Math.PI * i) / 2 + Math.PI / 4) / 2);
    expect(20 * Math.log10(Math.max(...samples))).closeTo(-9.03, 0.01);
    // EBU Tech 3341, cases 15 to 19: +0.2 and -0.4 dB.
    expect(truePeak(samples.map((x, i) => x * Math.min(1, i / 400, (4799 - i) / 400)))).within(-6.42, -5.82);
  });

  it("finds the peak of a slow tone, and none in silence", () => {
    expect(truePeak(tones(24_000, [[0.1, -6]], 100))).closeTo(-6, 0.05);
    expect(truePeak(new Float32Array(100))).equal(-Infinity);
  });

  it("gains to a target", () => {
    const samples = tones(24_000, [[2, -30]]);
    const gain = loudnessGain(samples, 24_000, -19);
    expect(
      integratedLoudness(
        samples.map((x) => x * gain),
        24_000,
      ),
    ).closeTo(-19, 0.01);
  });

  it("gains less where the true peak would pass the ceiling, and not at all in silence", () => {
    const samples = tones(24_000, [
      [2, -40],
      [0.005, 0],
      [2, -40],
    ]);
    const peak = (ceiling?: number): number => {
      const gain = loudnessGain(samples, 24_000, -19, ceiling);
      return truePeak(samples.map((x) => x * gain));
    };
    expect(peak()).closeTo(-1, 0.01);
    expect(peak(-3)).closeTo(-3, 0.01);
    expect(loudnessGain(new Float32Array(48_000), 24_000, -19)).equal(1);
  });

  it("refuses a rate, a target and samples that are none", () => {
    expect(() => integratedLoudness([0], 0)).throws(EngineError, /sampling_rate/);
    expect(() => loudnessGain([0], 24_000, 3)).throws(EngineError, /target/);
    expect(() => truePeak([NaN])).throws(EngineError, /samples: .*not finite/);
  });
});
