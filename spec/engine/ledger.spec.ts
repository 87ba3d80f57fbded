import { expect } from "chai";
import { Ledger } from "../../engine/device/ledger.ts";

describe("Ledger", () => {
  it("counts the bytes alive, in all and by label", () => {
    const ledger = new Ledger();
    expect([ledger.bytes, ledger.peakBytes, ledger.byLabel().size]).to.deep.equal([0, 0, 0]);
    ledger.allocate("weights", 100);
    ledger.allocate("cache", 30);
    ledger.allocate("weights", 20);
    expect(ledger.bytes).to.equal(150);
    expect(Object.fromEntries(ledger.byLabel())).to.deep.equal({ weights: 120, cache: 30 });
    ledger.release("weights", 100);
    expect(ledger.bytes).to.equal(50);
    expect(Object.fromEntries(ledger.byLabel())).to.deep.equal({ weights: 20, cache: 30 });
  });

  it("forgets a label of which nothing is left", () => {
    const ledger = new Ledger();
    ledger.allocate("cache", 30);
    ledger.release("cache", 30);
    expect([ledger.bytes, ledger.byLabel().size]).to.deep.equal([0, 0]);
  });

  it("shows what was released twice or never allocated", () => {
    const ledger = new Ledger();
    ledger.release("cache", 30);
    expect([ledger.bytes, ledger.byLabel().get("cache")]).to.deep.equal([-30, -30]);
  });

  it("keeps the peak until it is reset", () => {
    const ledger = new Ledger();
    ledger.allocate("a", 100);
    ledger.release("a", 100);
    ledger.allocate("a", 40);
    expect(ledger.peakBytes).to.equal(100);
    ledger.resetPeak();
    expect(ledger.peakBytes).to.equal(40);
    ledger.allocate("a", 1);
    expect(ledger.peakBytes).to.equal(41);
  });
});
