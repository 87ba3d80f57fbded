import { expect } from "chai";
import { BarkTokenizer } from "../../../bark/text/tokenizer.ts";
import { tellOfTexts } from "../../../bark/text/text_notices.ts";
import { EngineError } from "../../../engine/errors.ts";

const vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "big", "world", "##s", "."].join("\n");
const tokenizer = new BarkTokenizer({ vocab });

function told(texts: readonly string[], limit = 100): string[] {
  const notices: string[] = [];
  const rows = texts.map((text) => tokenizer.encode(text));
  tellOfTexts(tokenizer, texts, rows, limit, (line) => notices.push(line));
  return notices;
}

function refusal(texts: readonly string[]): EngineError {
  try {
    told(texts);
  } catch (error) {
    expect(error).instanceOf(EngineError).with.property("code", "usage");
    return error as EngineError;
  }
  return expect.fail("taken");
}

describe("what of a text is not heard", () => {
  const unheard = "not in the vocabulary of the checkpoint, and not spoken as written: ";

  it("is nothing where all words are known and fit", () => {
    expect(told(["hello big worlds.", "hello"], 5)).deep.equal([]);
    expect(told([])).deep.equal([]);
  });

  it("gets an empty text", () => {
    expect(told(["hello", ""])).deep.equal(["a text is empty: what the model speaks then is up to chance"]);
  });

  it("gets unknown words once, marks and ideographs by themselves", () => {
    expect(told(["hello moon, moon", "moon world", "big"])).deep.equal([`${unheard}"moon", ","`]);
    expect(told(["hello 日本 world"])).deep.equal([`${unheard}"日", "本"`]);
    expect(told(["hello a+b"])).deep.equal([`${unheard}"a", "+", "b"`]);
    expect(told(["hello a b c d e"])).deep.equal([`${unheard}"a", "b", "c", "d", "e"`]);
    expect(told(["hello a b c d e f"])).deep.equal([`${unheard}"a", "b", "c", "d", "e", … (6)`]);
  });

  it("gets characters that the tokenizer leaves out, once, by their code points", () => {
    const left = "left out, for they are not letters or marks: ";
    expect(told(["hel\x07lo \x00world\x07", "big\ufffd"])).deep.equal([`${left}U+0007, U+0000, U+FFFD`]);
    expect(told(["hello\u{e000} \ud800world"])).deep.equal([`${left}U+E000, U+D800`]);
    expect(told(["hello\x01\x02\x03\x04\x05\x06"])).deep.equal([
      `${left}U+0001, U+0002, U+0003, U+0004, U+0005, … (6)`,
    ]);
  });

  it("is nothing where a text holds breaks, or marks of layout", () => {
    expect(told(["hello\tbig\r\nworld", "hel\xadlo\u200b", "\ufeffhello"])).deep.equal([]);
  });

  it("is shown by its first 20 letters", () => {
    expect(told([`hello ${"x".repeat(20)}`])).deep.equal([`${unheard}"${"x".repeat(20)}"`]);
    expect(told([`hello ${"x".repeat(21)}`])).deep.equal([`${unheard}"${"x".repeat(20)}…"`]);
  });

  it("gets a word with one known mark in it", () => {
    const marks = new BarkTokenizer({ vocab: ["[UNK]", "hello", "[", "]"].join("\n") });
    const notices: string[] = [];
    tellOfTexts(marks, ["hello [ABC]"], [marks.encode("hello [ABC]")], 100, (line) => notices.push(line));
    expect(notices).deep.equal([`${unheard}"[ABC]"`]);
  });

  it("is shown whole by its letters, of which an emoji is one", () => {
    const [smile, wave] = ["😀", "👋"];
    expect(told([`hello ${smile.repeat(20)}`])).deep.equal([`${unheard}"${smile.repeat(20)}"`]);
    expect(told([`hello ${smile.repeat(21)}`])).deep.equal([`${unheard}"${smile.repeat(20)}…"`]);
    const cut = (word: string): string | undefined => told([`${word} hello`], 1)[1];
    expect(cut(wave.repeat(40))).match(new RegExp(`it ends after "${wave.repeat(40)}"; left out: "hello"$`));
    expect(cut(wave.repeat(41))).match(new RegExp(`it ends after "…${wave.repeat(40)}"; left out: "hello"$`));
  });

  it("gets what is cut", () => {
    expect(told(["hello big world hello"], 3)).deep.equal([
      'the text has 4 tokens, of which 3 are kept: it ends after "hello big world"; left out: "hello"',
    ]);
    expect(told(["big", "hello big world", "hello hello hello", "hello big big"], 2)).deep.equal([
      'the text has 3 tokens, of which 2 are kept: it ends after "hello big"; left out: "world" (3 texts of the batch are cut)',
    ]);
    const line = 'the text has 20 tokens, of which 10 are kept: it ends after "…';
    const [long] = told([new Array<string>(20).fill("hello").join(" ")], 10);
    expect(long).equal(
      `${line}${"hello ".repeat(10).trim().slice(-40)}"; left out: "${"hello ".repeat(10).trim().slice(0, 40)}…"`,
    );
    const [exact] = told([`${"hello ".repeat(6)}big. ${"hello ".repeat(6)}big.`], 8);
    expect(exact).match(new RegExp(`after "${"hello ".repeat(6)}big\\."; left out: "${"hello ".repeat(6)}big\\."$`));
  });

  for (const [name, texts, where, problem, fix] of [
    ["blanks", [" \n"], "text", "holds nothing to speak", "give words"],
    ["blanks in a list", ["hello", " "], "text[1]", "holds nothing to speak", "give words"],
    ["unknown words", ["moon"], "text", "holds no word of the checkpoint's vocabulary", /^write it in letters/],
    ["ideographs", ["日本語"], "text", "holds no word of the checkpoint's vocabulary", /^write it in letters/],
  ] as const)
    it(`is refused where it is all: ${name}`, () => {
      const error = refusal(texts);
      expect([error.where, error.problem]).deep.equal([where, problem]);
      expect(error.actual).equal(JSON.stringify(texts.at(-1)));
      expect(error.fix).match(new RegExp(fix));
    });
});
