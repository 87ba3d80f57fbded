import { expect } from "chai";
import { didYouMean, nearestName } from "../../../engine/check/nearest_name.ts";

const known = ["dtype", "device", "revision", "low_memory", "voice_preset", "temperature"];

describe("nearestName", () => {
  it("finds what was meant: swaps, slips, omissions, another case", () => {
    expect(nearestName("dtpye", known)).to.equal("dtype");
    expect(nearestName("temprature", known)).to.equal("temperature");
    expect(nearestName("DEVICE", known)).to.equal("device");
    expect(nearestName("voice_presets", known)).to.equal("voice_preset");
    expect(nearestName("lowmemory", known)).to.equal("low_memory");
  });

  it("takes a third of the letters as slips, two at least, and of two names the nearer, the first of equals", () => {
    expect(nearestName("abcdefghi", ["xyzdefghi"])).to.equal("xyzdefghi");
    expect(nearestName("abcdefghi", ["wxyzefghi"])).to.equal(undefined);
    expect(nearestName("abc", ["xyc"])).to.equal("xyc");
    expect(nearestName("abc", ["xyz"])).to.equal(undefined);
    expect(nearestName("abcdef", ["abcdxy", "abcdez", "abcdey", "abxdxy"])).to.equal("abcdez");
  });

  it("counts a swap of neighbours as one slip, and an omission and an insertion as one each", () => {
    expect(nearestName("bacdfe", ["abcdef"])).to.equal("abcdef");
    expect(nearestName("badcfe", ["abcdef"])).to.equal(undefined);
    expect(nearestName("abcdef", ["abcd", "abcdefgh"])).to.equal("abcd");
    expect(nearestName("abcdef", ["abcdefgh"])).to.equal("abcdefgh");
    expect(nearestName("abcdef", ["abc"])).to.equal(undefined);
    expect(nearestName("abcdef", ["abcdefghi"])).to.equal(undefined);
    expect(nearestName("cba", ["abc"])).to.equal("abc");
    expect(nearestName("ab", ["ba"])).to.equal("ba");
  });

  it("gives none where nothing is near", () => {
    expect(nearestName("x", known)).to.equal(undefined);
    expect(nearestName("quantized", known)).to.equal(undefined);
    expect(nearestName("", known)).to.equal(undefined);
    expect(nearestName("ab", ["cd", "x"])).to.equal(undefined);
    expect(nearestName("y".repeat(1e6), known)).to.equal(undefined);
  });

  it("says it in words", () => {
    expect(didYouMean("dtpye", known)).to.equal('did you mean "dtype"?');
    expect(didYouMean("quantized", known)).to.equal(undefined);
  });
});
