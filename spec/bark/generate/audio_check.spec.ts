import { expect } from "chai";
import { checkAudio } from "../../../bark/generate/audio_check.ts";

/** The notices about these samples. */
function told(samples: readonly number[]): string[] {
  const notices: string[] = [];
  checkAudio(Float32Array.from(samples), (line) => notices.push(line));
  return notices;
}

describe("audio that cannot be speech", () => {
  const step = 2 ** -15;
  for (const [name, samples, problem] of [
    ["zeros", [0, 0, 0], "silent"],
    ["less than a step of 16 bits around 0", [step * 0.9, -step * 0.9, 0], "silent"],
    ["a constant above 0", [0.5, 0.5 + step / 2, 0.5], "constant"],
    ["a constant below 0", [-0.5, -0.5, -0.5], "constant"],
    ["full scale in 3 of 10 samples", [1, -1, 1.5, 0, 0, 0, 0, 0, 0, 0], "beyond full scale nearly throughout"],
  ] as const)
    it(`is reported: ${name}`, () => {
      expect(told(samples)).deep.equal([
        `the audio is ${problem}: check the checkpoint, or try another text, voice or seed`,
      ]);
    });

  for (const [name, samples] of [
    ["a step of 16 bits up", [step, 0, 0]],
    ["a step of 16 bits down", [-step, 0, 0]],
    ["a step of 16 bits beside a constant", [0.5, 0.5 + step, 0.5]],
    ["full scale in 2 of 10 samples", [1, -1, 0, 0, 0, 0, 0, 0, 0, 0]],
    ["just below full scale throughout", [0.99, -0.99]],
  ] as const)
    it(`is not told: ${name}`, () => expect(told(samples)).deep.equal([]));

  for (const odd of [NaN, Infinity, -Infinity])
    it(`is refused: ${odd}`, () => {
      expect(() => told([0, odd, 0]))
        .throw("the audio is not finite")
        .include({ code: "bad-input", where: "codec", fix: "download or convert the checkpoint again" });
    });
});
