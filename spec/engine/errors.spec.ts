import { expect } from "chai";
import { EngineError, type ErrorDetails } from "../../engine/errors.ts";

const line = (message: string, details?: ErrorDetails): string =>
  new EngineError("bad-input", message, details).toLine();

describe("EngineError", () => {
  it("is an Error with a code and a cause", () => {
    const cause = new TypeError("deeper");
    const error = new EngineError("io", "is wrong", { where: "x.bin", cause });
    expect(error).to.be.instanceOf(Error);
    expect(error).to.include({ name: "EngineError", code: "io", message: "is wrong", where: "x.bin", cause });
    expect("cause" in new EngineError("io", "is wrong")).to.equal(false);
  });

  it("says everything on one line", () => {
    expect(line("is wrong")).to.equal("is wrong");
    expect(line("is wrong", { where: "x.bin", expected: 1, actual: [2, 3], fix: "fetch it" })).to.equal(
      "x.bin: is wrong (expected 1, got [2,3]); fetch it",
    );
    expect(line("is wrong", { expected: "a" })).to.equal("is wrong (expected a, got nothing)");
    expect(line("is wrong", { actual: null })).to.equal("is wrong (got null)");
  });

  it("lets no text of a file break the line or steer the terminal", () => {
    expect(line("a\n  b\r\nc\u2028d\u2029e\u0085f\x1b[2Jg\0\x07h")).to.equal("a b c d e f [2Jg h");
    expect(line("is wrong", { where: "a\nb", actual: "c\rd" })).to.equal("a b: is wrong (got c d)");
  });

  it("cuts what is long, and survives what JSON cannot hold", () => {
    const nested = JSON.parse("[".repeat(1e5) + "]".repeat(1e5)) as unknown;
    expect(line("is wrong", { actual: nested })).to.equal("is wrong (got a value nested too deep to show)");
    expect(line("is wrong", { actual: "x".repeat(1e6) })).to.have.length(1016);
    expect(line("is wrong", { actual: new Array(1e5).fill(0) })).to.match(/^is wrong \(got \[0,0,0.*,0…\)$/);
  });

  it("takes no time over a long run of blanks", () => {
    expect(line(" ".repeat(1e6))).to.have.length(1e6);
  });
});
