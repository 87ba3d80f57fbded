import { expect } from "chai";
import { readFileSync } from "node:fs";
import { BarkTokenizer } from "../../../bark/text/tokenizer.ts";
import type { JsonObject } from "../../../engine/check/json_fields.ts";

const read = (name: string): JsonObject =>
  JSON.parse(readFileSync(`spec/fixtures/cased/${name}`, "utf8")) as JsonObject;

describe("BarkTokenizer.truncation", () => {
  const tokenizer = new BarkTokenizer({ tokenizer: read("tokenizer.json"), config: read("tokenizer_config.json") });
  const pieces = (text: string): number => tokenizer.encode(text).length;

  it("is silent where the text fits", () => {
    const text = "Hello, my dog is cute.";
    expect(tokenizer.truncation(text, pieces(text))).to.equal(undefined);
    expect(tokenizer.truncation("", 1)).to.equal(undefined);
  });

  it("cuts between words", () => {
    const text = "The dog is here.  And the cat  is there.";
    const limit = pieces("The dog is here.");
    expect(tokenizer.truncation(text, limit)).to.deep.equal({
      tokens: pieces(text),
      limit,
      kept: "The dog is here.",
      lost: "And the cat  is there.",
    });
  });

  it("keeps exactly the ids that the model sees, for every limit", () => {
    const text = "Hello, wonderful unbelievable world! [MASK] naïve";
    const ids = tokenizer.encode(text);
    for (let limit = 0; limit < ids.length; limit++) {
      const cut = tokenizer.truncation(text, limit);
      expect(tokenizer.encode(cut?.kept ?? "?"), `limit ${limit}`).to.deep.equal(ids.slice(0, limit));
    }
  });

  it("cuts text without spaces", () => {
    const vocab = ["[UNK]", "你", "好", "世", "界"].join("\n");
    const cut = new BarkTokenizer({ vocab }).truncation("你好世界你好世界", 3);
    expect([cut?.kept, cut?.lost, cut?.tokens]).to.deep.equal(["你好世", "界你好世界", 8]);
  });

  it("cuts a word where its beginning still has the ids that are kept", () => {
    // "ab" has no piece for its b: the ids of a beginning may differ from those of the whole.
    const short = new BarkTokenizer({ vocab: ["[UNK]", "hello", "a", "##bcd"].join("\n") });
    const cut = (text: string, limit: number) => short.truncation(text, limit);
    expect(cut("abcd", 1)).to.deep.equal({ tokens: 2, limit: 1, kept: "a", lost: "bcd" });
    expect(cut("hello abcd", 2)).to.deep.equal({ tokens: 3, limit: 2, kept: "hello a", lost: "bcd" });
  });

  it("cuts a long text at any word, and keeps what is lost as it is from its first letter on", () => {
    const long = new BarkTokenizer({ vocab: ["[UNK]", "hello", "##s"].join("\n") });
    const words = Array.from({ length: 2000 }, (_, i) => (i % 2 === 0 ? "hello" : "hellos"));
    for (const limit of [1, 1500, 1501, 2998, 2999]) {
      // Two words have three tokens.
      const whole = Math.floor(limit / 3) * 2 + (limit % 3 > 0 ? 1 : 0);
      const half = limit % 3 === 2;
      expect(long.truncation(`${words.join(" ")} \n`, limit), `${limit}`).to.deep.equal({
        tokens: 3000,
        limit,
        kept: `${words.slice(0, whole).join(" ")}${half ? " hello" : ""}`,
        lost: `${[...(half ? ["s"] : []), ...words.slice(whole + (half ? 1 : 0))].join(" ")} \n`,
      });
    }
  });
});
