import { expect } from "chai";
import { describeEnd, describeProgress, fitted } from "../../cli/process/progress.ts";
import type { BarkProgress } from "../../bark/generate/output.ts";

const at = (stage: BarkProgress["stage"], done: number, total: number, milliseconds: number): BarkProgress => ({
  stage,
  done,
  total,
  totalIsKnown: stage !== "semantic",
  milliseconds,
});

describe("the progress of bark", () => {
  it("tells count, rate and time left, of what came after the first report", () => {
    const first = at("coarse", 20, 480, 3000); // kernels had to compile
    expect(describeProgress(first, first, 480)).equal("coarse: 20/480 tokens");
    expect(describeProgress(at("coarse", 36, 480, 3400), first, 480), "too early").equal("coarse: 36/480 tokens");
    expect(describeProgress(at("coarse", 60, 480, 4000), first, 480)).equal(
      "coarse: 60/480 tokens, 40.0 tokens/s, ETA 11 s",
    );
    expect(describeProgress(at("fine", 2, 6, 20_000), at("fine", 0, 6, 0), 6)).equal(
      "fine: 2/6 passes, 0.10 passes/s, ETA 40 s",
    );
  });

  it("says about where the text alone tells how long it takes, and nothing once that is past", () => {
    const first = at("semantic", 0, 768, 0);
    expect(describeProgress(at("semantic", 100, 768, 1000), first, 150)).equal(
      "semantic: 100 of about 150 tokens, 100.0 tokens/s, ETA about 1 s",
    );
    expect(describeProgress(at("semantic", 160, 768, 1600), first, 150)).equal("semantic: 160 tokens, 100.0 tokens/s");
  });

  it("counts weights with a digit that the last one has too, and never more than there are", () => {
    const first = at("load", 0, 10_755_954, 0);
    expect(describeProgress(at("load", 4_040_000, 10_755_954, 100), first, 10_755_954)).equal(
      "load: 4.0/10.8 M weights",
    );
    expect(describeEnd(at("load", 10_755_954, 10_755_954, 2000))).equal("load: 10.8 M weights, 5.4 M weights/s, 2.0 s");
    expect(describeProgress(at("load", 421e6, 420e6, 100), first, 420e6)).equal("load: 420/420 M weights");
  });

  it("is narrower than the terminal: the bar gives way, then the end of the text", () => {
    const text = "coarse: 60/480 tokens, 40.0 tokens/s, ETA 11 s";
    expect(fitted(text, 0.5, 200)).equal(`[${"#".repeat(12)}${"-".repeat(12)}] ${text}`);
    expect(fitted(text, 0, 60)).equal(`[${"-".repeat(10)}] ${text}`);
    for (let columns = 1; columns < 120; columns++) {
      expect(fitted(text, 0.5, columns).length, `${columns}`).most(columns - 1);
      if (columns > text.length) expect(fitted(text, 0.5, columns)).include(text);
    }
    // 0 is what a terminal says that does not know.
    for (const unknown of [0, undefined]) expect(fitted("x".repeat(200), 0.5, unknown).length).equal(79);
  });
});
