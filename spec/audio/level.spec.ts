import { expect } from "chai";
import { Leveller } from "../../audio/level.ts";
import { integratedLoudness, truePeak } from "../../audio/loudness.ts";
import { EngineError } from "../../engine/errors.ts";

const rate = 24_000;

function tone(seconds: number, level: number, hertz = 1000): Float32Array<ArrayBuffer> {
  const amplitude = 10 ** (level / 20);
  return Float32Array.from(
    { length: seconds * rate },
    (_, i) => amplitude * Math.sin((2 * Math.PI * hertz * i) / rate),
  );
}

describe("Leveller", () => {
  it("brings pieces to the target, which differ by no more than 6 dB", () => {
    const leveller = new Leveller(rate, -19);
    for (const level of [-30, -27, -33])
      expect(integratedLoudness(leveller.level(tone(1, level)), rate)).closeTo(-19, 0.01);
  });

  it("lets a piece that is much softer than those before stay softer", () => {
    const leveller = new Leveller(rate, -19);
    leveller.level(tone(2, -20));
    expect(integratedLoudness(leveller.level(tone(1, -40)), rate)).closeTo(-33, 0.1);
  });

  it("gives a piece without a loudness the gain of those before", () => {
    const leveller = new Leveller(rate, -19);
    expect(leveller.level(tone(0.1, -30))).deep.equal(tone(0.1, -30));
    const gain = leveller.level(tone(1, -30))[6] / tone(1, -30)[6];
    expect(leveller.level(tone(0.1, -30))[6] / tone(0.1, -30)[6]).closeTo(gain, 1e-4);
  });

  it("keeps the true peak under -1 dB, and what is far from a peak as loud as without it", () => {
    const samples = new Float32Array([...tone(1, -30), ...tone(0.01, -3, 5900), ...tone(1, -30)]);
    const levelled = new Leveller(rate, -19).level(samples);
    expect(truePeak(levelled)).within(-2.5, -1 + 0.05);
    const gain = 10 ** ((-19 - integratedLoudness(samples, rate)) / 20);
    expect(truePeak(samples) + 20 * Math.log10(gain)).above(-1);
    expect(levelled[4806] / samples[4806]).closeTo(gain, 1e-4);
  });

  it("refuses what is no loudness", () => {
    expect(() => new Leveller(rate, 3)).throws(EngineError, /LUFS/);
  });
});
