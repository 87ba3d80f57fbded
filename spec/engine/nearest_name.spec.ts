import { expect } from "chai";
import { didYouMean, nearestName } from "../../engine/nearest_name.ts";

const known = ["dtype", "device", "revision", "low_memory", "voice_preset", "temperature"];

describe("nearestName", () => {
  it("finds what was meant: swaps, slips, omissions, another case", () => {
    expect(nearestName("dtpye", known)).to.equal("dtype");
    expect(nearestName("temprature", known)).to.equal("temperature");
    expect(nearestName("DEVICE", known)).to.equal("device");
    expect(nearestName("voice_presets", known)).to.equal("voice_preset");
    expect(nearestName("lowmemory", known)).to.equal("low_memory");
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
