import { expect } from "chai";
import { EngineError, type ErrorDetails } from "../../engine/errors.ts";

const line = (message: string, details?: ErrorDetails): string =>
  new EngineError("bad-input", message, details).message;

describe("EngineError", () => {
  it("is an Error with a code and a cause", () => {
    const cause = new TypeError("deeper");
    const error = new EngineError("io", "is wrong", { where: "x.bin", cause });
    expect(error).to.be.instanceOf(Error);
    expect(error).to.include({
      name: "EngineError",
      code: "io",
      problem: "is wrong",
      message: "x.bin: is wrong",
      where: "x.bin",
      cause,
    });
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
    expect(line("is wrong", { actual: nested })).to.equal("is wrong (got a value that cannot be shown)");
    expect(line("is wrong", { actual: "x".repeat(1e6) })).to.have.length(1016);
    expect(line("is wrong", { actual: "x".repeat(1000) })).to.equal(`is wrong (got ${"x".repeat(1000)})`);
    expect(line("is wrong", { actual: new Array(1e5).fill(0) })).to.match(/^is wrong \(got \[0,0,0.*,0…\)$/);
  });

  it("shows values that JSON has no words for", () => {
    const shown = (actual: unknown): string => line("is wrong", { actual });
    expect(shown(NaN)).to.equal("is wrong (got NaN)");
    expect(shown(-Infinity)).to.equal("is wrong (got -Infinity)");
    expect(shown(true)).to.equal("is wrong (got true)");
    expect(shown(12n)).to.equal("is wrong (got 12n)");
    expect(shown([1n, "a"])).to.equal('is wrong (got ["1n","a"])');
    expect(shown(() => 1)).to.equal("is wrong (got a function)");
    expect(shown(Symbol("x"))).to.equal("is wrong (got a symbol)");
    expect(line("is wrong", { expected: "x", actual: undefined })).to.equal("is wrong (expected x, got nothing)");
  });

  it("shows no password, token or signature, in whatever field", () => {
    const secret = "s3cr3t-of-mine";
    const texts = [
      `https://user:${secret}@host/path`,
      `https://user:p@${secret}@host/path`,
      `https://user:p/#${secret}@host/path`,
      `https://host/file#id_token=${secret}`,
      `see redis://:${secret}@host:6379/0, please`,
      `https://host/file?X-Amz-Signature=${secret}&x=1`,
      `https://host/file?access_token=${secret}`,
      "hf_abcdefghijklmnop",
      `Authorization: Bearer ${secret}`,
      `Authorization: Bearer  ${secret}`,
      `https://host/file?token_of_2=${secret}`,
    ];
    for (const text of texts) {
      const error = new EngineError("io", text, { where: text, expected: text, actual: text, fix: text });
      const { problem, where, expected, actual, fix } = error;
      for (const shown of [error.message, error.toLine(), String(error), problem, where, expected, actual, fix]) {
        expect(shown, text).not.to.match(/t-of-mine|hijklm/);
        expect(shown, text).to.include("***");
      }
      expect(line("is wrong", { actual: { text } })).not.to.match(/t-of-mine|hijklm/);
    }
    for (const text of ["https://host/a@b?x=1", "https://host:8080/a@b", "xtoken=1", "hf_hub", "https://host?monkeys"])
      expect(line(text)).to.equal(text);
  });

  it("takes no time over a long run of blanks", () => {
    expect(line(" ".repeat(1e6))).to.have.length(1e6);
  });
});
