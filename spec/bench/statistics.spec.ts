import { expect } from "chai";
import { spreadOf, summarize } from "../../bench/measure/statistics.ts";

describe("statistics of the benches", () => {
  it("gives median and quartiles as numpy does", () => {
    const summary = summarize([4, 1, 3, 2]);
    expect(summary).deep.equal({ median: 2.5, lowerQuartile: 1.75, upperQuartile: 3.25, min: 1, count: 4 });
    expect(spreadOf(summary)).equal(0.3);
  });

  it("takes one sample", () => {
    const summary = summarize([5]);
    expect(summary).deep.equal({ median: 5, lowerQuartile: 5, upperQuartile: 5, min: 5, count: 1 });
    expect(spreadOf(summary)).equal(0);
  });
});
