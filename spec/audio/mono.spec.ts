import { expect } from "chai";
import { to_mono } from "../../audio/mono.ts";
import { EngineError } from "../../engine/errors.ts";
import { NdArray } from "../../engine/ndarray.ts";

const sine = (hertz: number, rate: number, length: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / rate));

const wav = { audio: new NdArray(new Float32Array(4), [1, 4]), sample_rate: 100 };

describe("audio for a codec of one channel", () => {
  it("is the mean of the channels", async () => {
    const audio = new NdArray(Float32Array.of(1, 0, -1, 0, 0.5, 1), [2, 3]);
    expect([...(await to_mono({ audio, sample_rate: 24000 }, 24000))]).deep.equal([0.5, 0.25, 0]);
  });

  for (const rate of [8000, 22050, 44100, 48000, 96000])
    it(`keeps a tone at its place from ${rate} Hz`, async () => {
      const audio = new NdArray(sine(1000, rate, rate), [1, rate]);
      const result = await to_mono({ audio, sample_rate: rate }, 24000);
      expect(result.length).equal(24000);
      const expected = sine(1000, 24000, 24000);
      // The signal begins and ends at once, which no filter can follow.
      const inner = result.subarray(500, -500).map((value, i) => Math.abs(value - expected[500 + i]));
      expect(Math.max(...inner)).below(1e-6);
    });

  it("removes a tone above half the new rate", async () => {
    const audio = new NdArray(sine(15000, 44100, 44100), [1, 44100]);
    const result = await to_mono({ audio, sample_rate: 44100 }, 24000);
    expect(Math.max(...result.subarray(500, -500).map(Math.abs))).below(1e-6);
  });

  for (const [samples, expected] of [
    [1, 2],
    [3, 4],
    [44100, 24000],
  ])
    it(`${samples} samples give all that they cover`, async () => {
      const audio = new NdArray(new Float32Array(samples).fill(0.5), [1, samples]);
      const rate = samples === 44100 ? 44100 : 18000;
      expect((await to_mono({ audio, sample_rate: rate }, 24000)).length).equal(expected);
    });

  it("refuses a rate that is too far away", async () => {
    const audio = new NdArray(new Float32Array(4), [1, 4]);
    const error = await to_mono({ audio, sample_rate: 50 }, 24000, "slow.wav").catch((error: unknown) => error);
    expect(error).instanceOf(EngineError).with.property("code", "bad-input");
    expect((error as EngineError).toLine()).match(/^slow\.wav: .*94 to 6144000 Hz, got 50 Hz/);
  });

  it("takes rates up to 256 times apart", async () => {
    const audio = new NdArray(new Float32Array(4), [1, 4]);
    expect((await to_mono({ audio, sample_rate: 100 }, 25600)).length).equal(1024);
  });

  for (const [name, call, where] of [
    ["a rate of 0", () => to_mono(wav, 0), "rate"],
    ["audio of a rate of 0", () => to_mono({ ...wav, sample_rate: 0 }, 100), "sample_rate"],
    ["a name that is a number", () => to_mono(wav, 100, 5 as never), "where"],
  ] as const)
    it(`refuses ${name}`, async () => {
      const error = await call().catch((error: unknown) => error);
      expect(error).instanceOf(EngineError).include({ code: "usage", where });
    });
});
