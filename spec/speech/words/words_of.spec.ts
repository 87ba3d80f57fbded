import { expect } from "chai";
import { BarkTokenizer } from "../../../bark/text/tokenizer.ts";
import { wordsOf } from "../../../speech/words/words_of.ts";
import { openRepositoryStore } from "../../support/runtime.ts";

describe("wordsOf", () => {
  let tokenizer: BarkTokenizer;
  before(async () => {
    tokenizer = await BarkTokenizer.from_pretrained(await openRepositoryStore("models/nano"));
  });

  const cases: Readonly<Record<string, readonly string[]>> = {
    '- Don\'t stop, "Hello" said the well-known dog - at 3.50 now.': [
      "Don't",
      "stop,",
      '"Hello"',
      "said",
      "the",
      "well-",
      "known",
      "dog -",
      "at",
      "3.50",
      "now.",
    ],
    "Zürich's naïve Привет 漢字です。 [laughter] ♪ e.g.": [
      "Zürich's",
      "naïve",
      "Привет",
      "漢",
      "字",
      "です。",
      "[laughter] ♪",
      "e.",
      "g.",
    ],
    "🙂 ... !": [],
  };
  for (const [text, expected] of Object.entries(cases))
    it(`gives the words of ${JSON.stringify(text)}, each with its slots`, () => {
      const words = wordsOf(tokenizer, text, 64);
      expect(words.map(({ from, to }) => text.slice(from, to))).deep.equal(expected);
      for (const [i, { first, end }] of words.entries()) {
        expect(end).above(first);
        expect(first).equal(i === 0 ? words[0].first : words[i - 1].end);
      }
      if (words.length > 0) expect(words.at(-1)!.end).equal(tokenizer.encode(text).length);
    });

  it("joins the pieces of a word", () => {
    const text = "Unbelievableness is it.";
    expect(tokenizer.encode("Unbelievableness").length).above(1);
    expect(wordsOf(tokenizer, text, 64)[1].first).equal(tokenizer.encode("Unbelievableness").length);
  });

  it("leaves out words beyond the model's slots", () => {
    expect(wordsOf(tokenizer, "The dog is here.", 2).map(({ first, end }) => [first, end])).deep.equal([
      [0, 1],
      [1, 2],
    ]);
  });
});
