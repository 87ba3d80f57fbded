import { expect } from "chai";
import { readFileSync } from "node:fs";
import { Tokenizer as RustTokenizer } from "tokenizers";
import { BarkTokenizer } from "../../../bark/text/tokenizer.ts";
import type { EngineError } from "../../../engine/errors.ts";
import type { JsonObject } from "../../../engine/check/json_fields.ts";
import { storeOf } from "../../support/files/memory_files.ts";
import { engineErrorOf } from "../../support/rejection.ts";
import { WatchedStore } from "../../support/files/watched_store.ts";

const read = (name: string): string => readFileSync(`spec/fixtures/cased/${name}`, "utf8");
const cased = JSON.parse(read("tokenizer.json")) as Record<string, JsonObject>;
const casedConfig = JSON.parse(read("tokenizer_config.json")) as JsonObject;

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
  const ofNano = (name: string) =>
    JSON.parse(readFileSync(`models/nano/${name}`, "utf8")) as Record<string, JsonObject>;
  const variants: [string, Record<string, JsonObject>, JsonObject][] = [
    ["a cased vocabulary", cased, casedConfig],
    ["the embedded checkpoint", ofNano("tokenizer.json"), ofNano("tokenizer_config.json")],
  ];
  for (const [do_lower_case, strip_accents] of [
    [false, null],
    [false, true],
    [true, null],
    [true, false],
  ] as const) {
    const normalizer = { ...cased["normalizer"], lowercase: do_lower_case, strip_accents };
    const model = { ...cased["model"], vocab: generatedVocabulary() };
    const name = `a generated vocabulary, ${do_lower_case ? "uncased" : "cased"}, strip_accents ${strip_accents}`;
    variants.push([name, { ...cased, normalizer, model }, { do_lower_case, strip_accents }]);
  }

  for (const [name, definition, config] of variants) {
    it(`gives the ids of the Rust library, and their places in the text: ${name}`, async () => {
      const rust = RustTokenizer.fromString(JSON.stringify(definition));
      const ours = new BarkTokenizer({ tokenizer: definition, config });
      for (const text of hardTexts) {
        const expected = await rust.encode(text, null, { addSpecialTokens: false });
        const ids = ours.encode(text);
        expect(ids, JSON.stringify(text)).to.deep.equal(expected.getIds());
        expect(ours.offsets(text, ids), JSON.stringify(text)).to.deep.equal(expected.getOffsets());
      }
    });
  }

  it("reads vocab.txt where there is nothing else, cased, with the same ids", async () => {
    const store = storeOf({ "vocab.txt": read("vocab.txt") });
    const tokenizer = await BarkTokenizer.from_pretrained(store);
    const reference = new BarkTokenizer({ tokenizer: cased, config: casedConfig });
    for (const text of hardTexts) expect(tokenizer.encode(text), text).to.deep.equal(reference.encode(text));
    expect([tokenizer.pad_token_id, tokenizer.cls_token_id, tokenizer.sep_token_id]).to.deep.equal([0, 2, 3]);
    const windows = await BarkTokenizer.from_pretrained(
      storeOf({ "vocab.txt": read("vocab.txt").replaceAll("\n", "\r\n") }),
    );
    expect(windows.encode("Hello")).to.deep.equal(reference.encode("Hello"));
  });

  it("has a line of vocab.txt for each token, the last with or without an end", () => {
    for (const vocab of ["[UNK]\na\rb\nc", "[UNK]\r\na\rb\r\nc\r\n"]) {
      const tokenizer = new BarkTokenizer({ vocab });
      const ids = ["[UNK]", "a\rb", "c", ""].map((token) => tokenizer.token_to_id(token));
      expect([ids, tokenizer.largest_id]).to.deep.equal([[0, 1, 2, undefined], 2]);
    }
  });

  it("takes the vocabulary's special tokens out of the text before letters are lowered, with no blank around", () => {
    const vocab = ["[UNK]", "[MASK]", "a", "[", "]", "mask"].join("\n");
    const tokenizer = new BarkTokenizer({ vocab, config: { do_lower_case: true } });
    expect(tokenizer.encode("A[MASK]A [mask]")).to.deep.equal([2, 1, 2, 3, 5, 4]);
  });

  it("leaves control characters away, and ideographs in their word where tokenizer_config.json says so", () => {
    const vocab = ["[UNK]", "ab", "日", "本", "日本", "\u{20000}", "日\u{20000}"].join("\n");
    const tokenizer = (config: JsonObject): BarkTokenizer => new BarkTokenizer({ vocab, config });
    expect(tokenizer({}).encode("a\u0007b日本")).to.deep.equal([1, 2, 3]);
    expect(tokenizer({ tokenize_chinese_chars: true }).encode("日本")).to.deep.equal([2, 3]);
    expect(tokenizer({ tokenize_chinese_chars: false }).encode("日本")).to.deep.equal([4]);
    // Beyond 16 bits, which the package for JavaScript leaves in their word.
    expect(tokenizer({}).encode("日\u{20000}")).to.deep.equal([2, 5]);
    expect(tokenizer({ tokenize_chinese_chars: false }).encode("日\u{20000}")).to.deep.equal([6]);
  });

  it("lowers every sigma to σ, and none where case stays", () => {
    const vocab = ["[UNK]", "ασ", "ας", "ΑΣ"].join("\n");
    const ids = (do_lower_case: boolean): number[] =>
      new BarkTokenizer({ vocab, config: { do_lower_case } }).encode("ΑΣ ας");
    expect([ids(true), ids(false)]).to.deep.equal([
      [1, 2],
      [3, 2],
    ]);
  });

  it("adds no token of the file's post_processor", () => {
    const post_processor = { type: "BertProcessing", sep: ["[SEP]", 3], cls: ["[CLS]", 2] };
    expect(new BarkTokenizer({ tokenizer: { ...cased, post_processor } }).encode("Hello")).to.deep.equal([
      229, 166, 80,
    ]);
  });

  it("takes nothing but a string", async () => {
    const tokenizer = new BarkTokenizer({ tokenizer: cased });
    const error = await engineErrorOf(() => tokenizer.encode(5 as unknown as string));
    expect([error.code, error.where, error.expected]).to.deep.equal(["usage", "text", "a string"]);
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
      expect(new BarkTokenizer({ tokenizer: cased, config }).encode("Hello Wé [MASK]")).to.deep.equal(ids);
      expect(new BarkTokenizer({ vocab: read("vocab.txt"), config }).encode("Hello Wé [MASK]")).to.deep.equal(ids);
    });

  it("keeps an uncased tokenizer.json uncased where tokenizer_config.json says nothing", () => {
    const tokenizer = { ...cased, normalizer: { ...cased["normalizer"], lowercase: true, strip_accents: null } };
    expect(new BarkTokenizer({ tokenizer, config: {} }).encode("Hello Wé")).to.deep.equal([193, 166, 80, 248]);
  });

  it("takes the names of special tokens from tokenizer_config.json", () => {
    const tokenizer = new BarkTokenizer({
      vocab: "<u>\n<p>\na\n",
      config: { unk_token: "<u>", pad_token: { content: "<p>" } },
    });
    expect([tokenizer.pad_token_id, tokenizer.cls_token_id, tokenizer.unk_token_id]).to.deep.equal([1, undefined, 0]);
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
    expect(await fault({ "tokenizer.json": "{}" })).to.match(
      /^bad-input memory\/tokenizer.json: wrong value of "model" \(expected an object, got nothing\)/,
    );
    expect(await fault({ "vocab.txt": read("vocab.txt"), "tokenizer_config.json": '{"pad_token":5}' })).to.match(
      /^bad-input memory\/tokenizer_config.json: wrong value of "pad_token"/,
    );
    expect(await fault({ "vocab.txt": "" })).to.match(/^bad-input memory\/vocab.txt: the vocabulary is empty/);
    expect(await fault({ "vocab.txt": "a\nb" })).to.match(/^bad-input memory\/vocab.txt: the vocabulary lacks \[UNK\]/);
    const alone = await engineErrorOf(() => new BarkTokenizer({}));
    expect(alone.message).to.match(/^tokenizer\/vocab\.txt: the vocabulary is empty/);
  });

  it("does not open vocab.txt beside tokenizer.json", async () => {
    const store = new WatchedStore(storeOf({ "vocab.txt": "a", "tokenizer.json": read("tokenizer.json") }));
    await BarkTokenizer.from_pretrained(store);
    expect(store.opened.map(({ name }) => name)).to.deep.equal(["memory/tokenizer.json"]);
  });
});

describe("BarkTokenizer of malformed files", () => {
  const model = cased["model"];
  const vocab = model["vocab"] as Record<string, number>;
  const ofModel = (fields: JsonObject): JsonObject => ({ ...cased, model: { ...model, ...fields } });
  const added = (fields: JsonObject): JsonObject => ({
    ...cased,
    added_tokens: [{ ...(cased["added_tokens"] as unknown as JsonObject[])[0], ...fields }],
  });
  const refused: readonly [name: string, tokenizer: JsonObject, says: RegExp][] = [
    ["no model", { ...cased, model: null }, /: wrong value of "model" \(expected an object, got null\)/],
    [
      "an unknown type",
      ofModel({ type: "Magic" }),
      /: model: wrong value of "type" \(expected WordPiece, BPE, Unigram, got "Mag/,
    ],
    ["a type that objects have", ofModel({ type: "constructor" }), /: model: wrong value of "type"/],
    ["no type, and the merges of BPE", ofModel({ type: undefined, merges: [] }), /model: wrong value of "type"/],
    ["no type and no prefix", ofModel({ type: undefined, continuing_subword_prefix: undefined }), /model: .*"type"/],
    ["a vocabulary that is a list", ofModel({ vocab: Object.keys(vocab) }), /model: wrong value of "vocab"/],
    ["a vocabulary of pairs", ofModel({ vocab: Object.entries(vocab) }), /model: wrong value of "vocab"/],
    ["a vocabulary that is a number", ofModel({ vocab: 800 }), /model: wrong value of "vocab" .*got 800/],
    ["no vocabulary", ofModel({ vocab: undefined }), /model: wrong value of "vocab"/],
    ["an empty vocabulary", ofModel({ vocab: {} }), /model: wrong value of "vocab" \(expected a token at least/],
    ["ids that are strings", ofModel({ vocab: { ...vocab, x: "7" } }), /model\.vocab: wrong value of "x" .*got "7"/],
    ["an id below 0", ofModel({ vocab: { ...vocab, x: -1 } }), /model\.vocab: wrong value of "x" .*got -1/],
    ["a fraction", ofModel({ vocab: { ...vocab, x: 0.5 } }), /model\.vocab: wrong value of "x" .*got 0\.5/],
    ["an id of 32 bits", ofModel({ vocab: { ...vocab, x: 2 ** 31 } }), /model\.vocab: wrong value of "x"/],
    ["an id beyond 32 bits", ofModel({ vocab: { ...vocab, x: 2 ** 32 } }), /model\.vocab: wrong value of "x"/],
    ["an id that is null", ofModel({ vocab: { ...vocab, x: null } }), /model\.vocab: wrong value of "x" .*got null/],
    ["an unk_token without id", ofModel({ unk_token: "[NONE]" }), /model: wrong value of "unk_token" .*got "\[NONE\]"/],
    ["no unk_token", ofModel({ unk_token: undefined }), /model: wrong value of "unk_token"/],
    ["a prefix that is a number", ofModel({ continuing_subword_prefix: 2 }), /"continuing_subword_prefix"/],
    ["a word's length that is text", ofModel({ max_input_chars_per_word: "100" }), /"max_input_chars_per_word"/],
    ["added tokens by name", { ...cased, added_tokens: { a: 1 } }, /: wrong value of "added_tokens"/],
    ["an added token that is text", { ...cased, added_tokens: ["[PAD]"] }, /: wrong value of "added_tokens\[0\]"/],
    ["an added token without id", added({ id: undefined }), /: added_tokens\[0\]: wrong value of "id"/],
    ["an added token of nothing", added({ content: "" }), /: added_tokens\[0\]: wrong value of "content"/],
    ["an added token's flag as text", added({ lstrip: "no" }), /: added_tokens\[0\]: wrong value of "lstrip"/],
    ["an unknown normalizer", { ...cased, normalizer: { type: "Magic" } }, /: cannot be used: .*Magic/],
    [
      "a flag of the normalizer as text",
      { ...cased, normalizer: { ...cased["normalizer"], lowercase: "no" } },
      /"lowercase"/,
    ],
    ["an unknown pre_tokenizer", { ...cased, pre_tokenizer: { type: "Magic" } }, /: cannot be used: .*Magic/],
    ["BPE without merges", ofModel({ type: "BPE" }), /model: wrong value of "merges"/],
    ["BPE of merges of three", ofModel({ type: "BPE", merges: [["a", "b", "c"]] }), /wrong value of "merges\[0\]"/],
    ["BPE of merges with ids", ofModel({ type: "BPE", merges: [["a", 1]] }), /wrong value of "merges\[0\]"/],
    ["Unigram of ids", ofModel({ type: "Unigram" }), /model: wrong value of "vocab"/],
    [
      "Unigram of nothing",
      ofModel({ type: "Unigram", vocab: [] }),
      /model: wrong value of "vocab" \(expected a token at/,
    ],
    ["Unigram of tokens alone", ofModel({ type: "Unigram", vocab: ["a"] }), /model: wrong value of "vocab\[0\]"/],
    ["Unigram of texts of two letters", ofModel({ type: "Unigram", vocab: ["ab"] }), /wrong value of "vocab\[0\]"/],
    ["Unigram of objects", ofModel({ type: "Unigram", vocab: [{ 0: "a", 1: 1, length: 2 }] }), /"vocab\[0\]"/],
    ["Unigram of ids with scores", ofModel({ type: "Unigram", vocab: [[1, 1]] }), /wrong value of "vocab\[0\]"/],
    ["Unigram of scores as text", ofModel({ type: "Unigram", vocab: [["a", "1"]] }), /wrong value of "vocab\[0\]"/],
    ["Unigram of triples", ofModel({ type: "Unigram", vocab: [["a", 1, 2]] }), /wrong value of "vocab\[0\]"/],
    ["Unigram of a long list", ofModel({ type: "Unigram", vocab: [["a", 1], 2] }), /"vocab\[1\]" .*got 2/],
  ];
  for (const [name, tokenizer, says] of refused)
    it(`refuses ${name}`, async () => {
      const error = await engineErrorOf(() =>
        BarkTokenizer.from_pretrained(storeOf({ "tokenizer.json": JSON.stringify(tokenizer) })),
      );
      expect(error.code).to.equal("bad-input");
      expect(error.message).to.match(/^memory\/tokenizer\.json: /);
      expect(error.message).to.match(says);
    });

  for (const [field, value] of [
    ["do_lower_case", "false"],
    ["do_lower_case", 1],
    ["strip_accents", "no"],
    ["tokenize_chinese_chars", 0],
    ["unk_token", {}],
    ["cls_token", ""],
    ["sep_token", ["[SEP]"]],
  ] as const)
    it(`refuses ${field} ${JSON.stringify(value)} in tokenizer_config.json`, async () => {
      const error = await engineErrorOf(() => new BarkTokenizer({ tokenizer: cased, config: { [field]: value } }, "m"));
      expect(error.message).to.match(new RegExp(`^m/tokenizer_config\\.json: wrong value of "${field}"`));
    });

  it("reads BERT's files of before types had a name, and null where nothing is said", () => {
    const old = ofModel({ type: undefined, max_input_chars_per_word: undefined });
    const tokenizer = new BarkTokenizer({ tokenizer: old, config: { do_lower_case: true, mask_token: null } });
    expect(tokenizer.encode("Hello Wé [MASK]")).to.deep.equal([193, 166, 80, 248, 4]);
    const { added_tokens, ...bare } = cased;
    expect(added_tokens).to.be.an("array");
    expect(new BarkTokenizer({ tokenizer: bare }).encode("Hello")).to.deep.equal([229, 166, 80]);
  });

  it("reads BPE and Unigram, and knows their largest id", () => {
    const others = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
    const unk = { id: 40, content: "<unk>", special: true };
    const bpe = { type: "BPE", vocab: { a: 0, b: 1, ab: 2 }, merges: [["a", "b"]] };
    const merged = new BarkTokenizer({ tokenizer: { ...others, added_tokens: [unk], model: bpe } });
    expect([merged.encode("abab"), merged.largest_id]).to.deep.equal([[2, 2], 40]);
    const pieces = {
      type: "Unigram",
      unk_id: 0,
      vocab: [
        ["<unk>", 0],
        ["a", -1],
        ["ab", -1],
      ],
    };
    const unigram = new BarkTokenizer({ tokenizer: { ...others, model: pieces } });
    expect([unigram.encode("aba"), unigram.largest_id]).to.deep.equal([[2, 1], 2]);
  });

  it("leaves BPE and Unigram their case, and tells a token for which they have no id", async () => {
    const parts = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
    const model = { type: "BPE", unk_token: "<unk>", vocab: { A: 0, a: 1 }, merges: [] };
    const tokenizer = new BarkTokenizer({ tokenizer: { ...parts, model }, config: { do_lower_case: true } });
    expect(tokenizer.encode("aA")).to.deep.equal([1, 0]);
    const error = await engineErrorOf(() => tokenizer.encode("ab"));
    expect([error.code, error.where]).to.deep.equal(["bad-input", "tokenizer/tokenizer.json"]);
    expect(error.message).to.match(/has no id for a token of the text/);
  });

  it("checks flags of BERT's normalizer alone", () => {
    const normalizer = { type: "Lowercase", lowercase: "always" };
    expect(new BarkTokenizer({ tokenizer: { ...cased, normalizer } }).encode("Hello")).to.deep.equal([193, 166, 80]);
  });

  it("holds its ids against the model beside it, and loads alone", async () => {
    const files = Object.fromEntries(
      ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"].map((name) => [
        name,
        read(name),
      ]),
    );
    const load = (changes: Record<string, string>) => BarkTokenizer.from_pretrained(storeOf({ ...files, ...changes }));
    const largest = async (id: number): Promise<BarkTokenizer> =>
      await load({ "tokenizer.json": JSON.stringify(ofModel({ vocab: { ...vocab, x: id } })) });
    // 1536 rows, of which those of text begin at 728.
    expect((await largest(807)).largest_id).to.equal(807);
    const error = await engineErrorOf(() => largest(808));
    expect(error.message).to.match(
      /^memory\/tokenizer\.json: has more ids than config\.json has rows .*below 808 .*got 808/,
    );
    const vocabulary = `${read("vocab.txt")}${Array.from({ length: 9 }, (_, i) => `new${i}\n`).join("")}`;
    const withVocab = {
      "config.json": files["config.json"],
      "generation_config.json": files["generation_config.json"],
    };
    expect(
      (await engineErrorOf(() => BarkTokenizer.from_pretrained(storeOf({ ...withVocab, "vocab.txt": vocabulary }))))
        .where,
    ).to.equal("memory/vocab.txt");
    expect([error.code, error.where]).to.deep.equal(["bad-input", "memory/tokenizer.json"]);
    // generate() reports offsets from the last row on.
    const generation = JSON.parse(read("generation_config.json")) as Record<string, JsonObject>;
    for (const text_encoding_offset of [1536, 1537]) {
      const semantic_config = { ...generation["semantic_config"], text_encoding_offset };
      await load({ "generation_config.json": JSON.stringify({ ...generation, semantic_config }) });
    }
    const wrong = await engineErrorOf(() => load({ "config.json": '{"model_type":"bark","semantic_config":5}' }));
    expect(wrong.where).to.match(/^memory\/config\.json/);
    await load({ "config.json": '{"model_type":"bert","vocab_size":1}' });
    await BarkTokenizer.from_pretrained(storeOf({ "vocab.txt": vocabulary }));
  });
});
