import { expect } from "chai";
import { readFileSync } from "node:fs";
import { Tokenizer as RustTokenizer } from "tokenizers";
import { BarkTokenizer } from "../../bark/tokenizer.ts";
import type { EngineError } from "../../engine/errors.ts";
import type { JsonObject } from "../../engine/json_fields.ts";
import { storeOf } from "../support/memory_files.ts";

const read = (name: string): string => readFileSync(`models/nano/${name}`, "utf8");
const nano = JSON.parse(read("tokenizer.json")) as Record<string, JsonObject>;
const nanoConfig = JSON.parse(read("tokenizer_config.json")) as JsonObject;

const hardTexts = [
  "",
  " \t\r\n ",
  "Hello, my name is Suno. And, uh — and I like pizza. [laughs] But I also have other interests.",
  "don't $5.00 50% a+b=c <tag> `x` ^_^ {y|z} ~ #1 @me",
  "Buenos días Miguel, ¿qué tal? ¡Ça va! Straße ÆØÅ İstanbul ǅ ﬁ",
  "cafe\u0301 cafe\u0301\u0302 e\u0301E\u0301 \u0301x",
  "你好世界 hello 中文字 㐀㐁 豈更 ひらがなカタカナ 한국어 조선말",
  "\u{20000}\u{20001}x\u{2a6df} \u{2a700}y\u{2b740}\u{2b81f} \u{2b820}z\u{2b91f} \u{2b920}\u{2ceaf} \u{2f800}\u{2fa1f}",
  "שלום עולם \u202bمرحبا بالعالم\u202c עִבְרִית",
  "♪ music ♪ … ‘quotes’ “double” «angle» – — ― ‽ ⁇ 、。「」！？",
  "zero\u200bwidth\u200djoiner soft\u00adhyphen \ufeffbom nul\u0000l bell\u0007 del\u007f repl\ufffdaced nel\u0085x",
  "no\u00a0break\u3000ideographic\u2009thin\u2028line\u2029para\u1680ogham",
  "😀 👩‍👩‍👧‍👦 🇩🇪 👍🏽 a😀b ❤️",
  "x".repeat(100),
  "x".repeat(101),
  `${"é".repeat(100)} ${"é".repeat(101)}`,
  "\u{1d400}".repeat(100),
  "\u{1d400}".repeat(101),
  "[MASK] [CLS]a[SEP] [PAD][PAD] x[UNK]y [mask] [CLS ] [ MASK] [[MASK]]",
  "ΑΣ ΣΑΣ Σ οδυσσεύς ΟΔΥΣΣΕΎΣ",
  "lone\ud800surrogate",
  "a\u0378b \ue000private \u{f0000}x",
  "##x # #hello ##",
];

/** A vocabulary in which nearly every character of the hard texts has its own id, so that none hides behind [UNK]. */
function generatedVocabulary(): Record<string, number> {
  const texts = hardTexts.flatMap((text) => [text, text.toLowerCase(), text.normalize("NFD").toLowerCase()]);
  const points = new Set(texts.flatMap((text) => Array.from(text)).filter((point) => /^[^\s\p{C}]$/u.test(point)));
  const pieces = Array.from(points).flatMap((point) => [point, `##${point}`]);
  const words = ["hello", "Hello", "##llo", "straße", "##ssa", "don", "my", "name", "cafe", "##\u0301x"];
  const tokens = new Set(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...words, ...pieces]);
  return Object.fromEntries(Array.from(tokens, (token, id) => [token, id]));
}

describe("BarkTokenizer", () => {
  const variants: [string, Record<string, JsonObject>, JsonObject][] = [["the embedded checkpoint", nano, nanoConfig]];
  for (const [do_lower_case, strip_accents] of [
    [false, null],
    [false, true],
    [true, null],
    [true, false],
  ] as const) {
    const normalizer = { ...nano["normalizer"], lowercase: do_lower_case, strip_accents };
    const model = { ...nano["model"], vocab: generatedVocabulary() };
    const name = `a generated vocabulary, ${do_lower_case ? "uncased" : "cased"}, strip_accents ${strip_accents}`;
    variants.push([name, { ...nano, normalizer, model }, { do_lower_case, strip_accents }]);
  }

  for (const [name, definition, config] of variants) {
    const rust = RustTokenizer.fromString(JSON.stringify(definition));
    const ours = new BarkTokenizer({ tokenizer: definition, config });
    it(`gives the ids of the Rust library: ${name}`, async () => {
      for (const text of hardTexts) {
        const expected = await rust.encode(text, null, { addSpecialTokens: false });
        expect(ours.encode(text), JSON.stringify(text)).to.deep.equal(expected.getIds());
      }
    });
  }

  it("reads vocab.txt where there is nothing else, cased, with the same ids", async () => {
    const store = storeOf({ "vocab.txt": read("vocab.txt") });
    const tokenizer = await BarkTokenizer.from_pretrained(store);
    const reference = new BarkTokenizer({ tokenizer: nano, config: nanoConfig });
    for (const text of hardTexts) expect(tokenizer.encode(text), text).to.deep.equal(reference.encode(text));
    expect([tokenizer.pad_token_id, tokenizer.cls_token_id, tokenizer.sep_token_id]).to.deep.equal([0, 2, 3]);
    const windows = await BarkTokenizer.from_pretrained(
      storeOf({ "vocab.txt": read("vocab.txt").replaceAll("\n", "\r\n") }),
    );
    expect(windows.encode("Hello")).to.deep.equal(reference.encode("Hello"));
  });

  // Ids by transformers 5.23 for the embedded vocabulary, except where it would lower case for want of a word on it.
  const casings: [string, JsonObject, number[]][] = [
    ["an explicit false", { do_lower_case: false }, [229, 166, 80, 1, 4]],
    ["false and strip_accents", { do_lower_case: false, strip_accents: true }, [229, 166, 80, 236, 4]],
    ["an explicit true", { do_lower_case: true }, [193, 166, 80, 248, 4]],
    ["true without strip_accents", { do_lower_case: true, strip_accents: false }, [193, 166, 80, 1, 4]],
    ["nothing said", {}, [229, 166, 80, 1, 4]],
  ];
  for (const [name, config, ids] of casings)
    it(`decides the case by tokenizer_config.json: ${name}`, () => {
      expect(new BarkTokenizer({ tokenizer: nano, config }).encode("Hello Wé [MASK]")).to.deep.equal(ids);
      expect(new BarkTokenizer({ vocab: read("vocab.txt"), config }).encode("Hello Wé [MASK]")).to.deep.equal(ids);
    });

  it("keeps an uncased tokenizer.json uncased where tokenizer_config.json says nothing", () => {
    const tokenizer = { ...nano, normalizer: { ...nano["normalizer"], lowercase: true, strip_accents: null } };
    expect(new BarkTokenizer({ tokenizer, config: {} }).encode("Hello Wé")).to.deep.equal([193, 166, 80, 248]);
  });

  it("takes the names of special tokens from tokenizer_config.json", () => {
    const tokenizer = new BarkTokenizer({
      vocab: "<u>\n<p>\na\n",
      config: { unk_token: "<u>", pad_token: { content: "<p>" } },
    });
    expect([tokenizer.pad_token_id, tokenizer.cls_token_id]).to.deep.equal([1, undefined]);
    expect(tokenizer.encode("a b <p>")).to.deep.equal([2, 0, 1]);
  });

  it("names the file that is missing or wrong", async () => {
    const fault = async (files: Record<string, string>): Promise<string> =>
      await BarkTokenizer.from_pretrained(storeOf(files)).then(
        () => "no error",
        (error: EngineError) => `${error.code} ${error.toLine()}`,
      );
    expect(await fault({})).to.match(/^bad-input memory: .*neither tokenizer.json nor vocab.txt/);
    expect(await fault({ "tokenizer.json": "{" })).to.match(/^bad-input memory\/tokenizer.json: is not valid JSON/);
    expect(await fault({ "tokenizer.json": "[]" })).to.match(/^bad-input memory\/tokenizer.json: is not a JSON object/);
    expect(await fault({ "tokenizer.json": "{}" })).to.match(/^bad-input memory: tokenizer.json cannot be used/);
    expect(await fault({ "vocab.txt": "" })).to.match(/^bad-input memory\/vocab.txt: the vocabulary is empty/);
    expect(await fault({ "vocab.txt": "a\nb" })).to.match(/^bad-input memory\/vocab.txt: the vocabulary lacks \[UNK\]/);
  });
});

describe("BarkTokenizer.truncation", () => {
  const tokenizer = new BarkTokenizer({ tokenizer: nano, config: nanoConfig });
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
});
