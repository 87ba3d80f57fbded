import { expect } from "chai";
import { logExponential, philox } from "../../kernels/sample/philox.ts";
import { keptIds, sampleReference } from "../../kernels/sample/reference.ts";
import { readSamplingCases } from "../support/sampling.ts";

describe("sampling reference", () => {
  it("gives the known answers of Philox4x32-10 (Random123, kat_vectors)", () => {
    const all = 0xffffffff;
    expect(philox([0, 0, 0, 0], [0, 0])).deep.equal([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
    expect(philox([all, all, all, all], [all, all])).deep.equal([0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
    expect(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])).deep.equal([
      0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1,
    ]);
  });

  it("takes the log of an exponential variate, finite at both ends", () => {
    expect(logExponential(0)).closeTo(Math.log(25 * Math.LN2), 1e-12);
    expect(logExponential(0xffffffff)).closeTo(-25 * Math.LN2, 1e-6);
  });

  it("keeps the ids that transformers keeps; of ties at the edge of top-p all", async () => {
    for (const { name, logits, options, kept } of await readSamplingCases()) {
      const what = `${name}: ${JSON.stringify(options)}`;
      const own = keptIds(logits, { ...options, greedy: false });
      expect(own, what).include.members(kept);
      const edge = Math.min(...kept.map((id) => logits[id]));
      const more = own.filter((id) => !kept.includes(id));
      if (more.length > 0) expect(options.topP, what).below(1);
      for (const id of more) expect(logits[id], what).equal(edge);
    }
  });

  it("gives four neighbouring ids the four words of one counter", () => {
    const [seed, stage, row, step] = [9n, 2, 3, 4];
    const noise = [0, 1].flatMap((four) =>
      philox([four, step, row, stage], [9, 0]).map((bits) => -logExponential(bits)),
    );
    const best = noise.indexOf(Math.max(...noise));
    const second = [...noise].sort((a, b) => b - a)[1];
    const pick = sampleReference(new Array(8).fill(0), { ranges: [[0, 8]], greedy: false, seed, stage }, { row, step });
    expect(pick.id).equal(best);
    expect(pick.margin).closeTo(noise[best] - second, 1e-12);
  });

  it("draws in proportion to the softmax", () => {
    const counts = [0, 0, 0];
    const logits = [Math.log(0.5), Math.log(0.3), Math.log(0.2)];
    for (let row = 0; row < 3000; row++)
      counts[sampleReference(logits, { ranges: [[0, 3]], greedy: false, seed: 5n }, { row, step: 0 }).id]++;
    for (const [id, share] of [0.5, 0.3, 0.2].entries()) expect(counts[id] / 3000).closeTo(share, 0.03);
  });
});
