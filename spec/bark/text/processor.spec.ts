import { expect } from "chai";
import path from "node:path";
import { BarkProcessor } from "../../../bark/text/processor.ts";
import { BarkTokenizer } from "../../../bark/text/tokenizer.ts";
import type { EngineError } from "../../../engine/errors.ts";
import { NdArray } from "../../../engine/ndarray.ts";
import { DirectoryStore } from "../../../checkpoint/node/directory_store.ts";
import "../../../checkpoint/node/index.ts";
import { engineErrorOf } from "../../support/rejection.ts";

describe("BarkProcessor", () => {
  let processor: BarkProcessor;
  const notices: string[] = [];
  before(async () => {
    const onNotice = (line: string): unknown => notices.push(line);
    processor = await BarkProcessor.from_pretrained(new DirectoryStore("spec/fixtures/cased"), { onNotice });
  });
  beforeEach(() => notices.splice(0));

  async function fault(work: Promise<unknown>): Promise<string> {
    return await work.then(
      () => "no error",
      (error: EngineError) => `${error.code} ${error.toLine()}`,
    );
  }

  // Ids by transformers 5.23: BarkProcessor.from_pretrained("spec/fixtures/cased")("Hello [MASK] World [UNK]x").
  const ids = [229, 166, 80, 4, 48, 146, 181, 1, 75];

  it("pads a text to 256 ids with its mask", async () => {
    const inputs = await processor("Hello [MASK] World [UNK]x");
    expect(inputs).to.have.all.keys("input_ids", "attention_mask");
    expect([inputs.input_ids.shape, inputs.input_ids.dtype]).to.deep.equal([[1, 256], "int32"]);
    expect(Array.from(inputs.input_ids.data)).to.deep.equal([...ids, ...new Array<number>(256 - ids.length).fill(0)]);
    const mask = Array.from({ length: 256 }, (_, i) => Number(i < ids.length));
    expect(inputs.attention_mask?.tolist()).to.deep.equal([mask]);
  });

  it("opens a checkpoint by its path", async () => {
    const opened = await BarkProcessor.from_pretrained("spec/fixtures/cased");
    expect((await opened("Hello")).input_ids.data[0]).to.equal(ids[0]);
  });

  it("takes a list of texts and empty text", async () => {
    const { input_ids, attention_mask } = await processor(["Hello", ""], { max_length: 4 });
    expect(input_ids.tolist()).to.deep.equal([
      [229, 166, 80, 0],
      [0, 0, 0, 0],
    ]);
    expect(attention_mask?.tolist()).to.deep.equal([
      [1, 1, 1, 0],
      [0, 0, 0, 0],
    ]);
  });

  it("keeps long text, and cuts it when asked to", async () => {
    const long = "Hello ".repeat(100);
    expect((await processor(long)).input_ids.shape).to.deep.equal([1, 300]);
    expect((await processor([long, long])).input_ids.shape).to.deep.equal([2, 300]);
    expect((await processor([long, "Hello"], { truncation: true })).input_ids.shape).to.deep.equal([2, 256]);
    expect(await fault(processor([long, "Hello"]))).to.equal(
      "usage text: texts of a batch come out in different lengths (expected at most 256 ids each (max_length), got 256 and 300); give truncation: true, or split the long text",
    );
  });

  it("adds special tokens and leaves out the mask only when asked to", async () => {
    const inputs = await processor("Hello", {
      max_length: 6,
      add_special_tokens: true,
      return_attention_mask: false,
      return_token_type_ids: true,
    });
    expect(inputs).to.have.all.keys("input_ids", "token_type_ids");
    expect(inputs.input_ids.tolist()).to.deep.equal([[2, 229, 166, 80, 3, 0]]);
    expect(inputs.token_type_ids?.tolist()).to.deep.equal([[0, 0, 0, 0, 0, 0]]);
  });

  it("keeps the special tokens where it cuts, as transformers does", async () => {
    const options = { truncation: true, add_special_tokens: true, max_length: 8 };
    const { input_ids, attention_mask } = await processor("Hello there. ".repeat(5), options);
    expect(input_ids.tolist()).to.deep.equal([[2, 229, 166, 80, 363, 12, 229, 3]]);
    expect(attention_mask?.data.includes(0)).to.equal(false);
  });

  it("adds the voice as history_prompt", async () => {
    const { history_prompt } = await processor("Hello", { voice_preset: "en_speaker_1" });
    expect(history_prompt?.coarse_prompt.shape).to.deep.equal([2, history_prompt?.fine_prompt.shape[1]]);
    expect(history_prompt).to.deep.equal(await processor.loadVoice("en_speaker_1"));
    expect(await processor("Hello", { voice_preset: null })).to.not.have.property("history_prompt");
    expect(processor.available_voice_presets).to.deep.equal(["en_speaker_0", "en_speaker_1"]);
  });

  it("takes a voice for each text, each read once", async () => {
    const voice_preset = ["en_speaker_1", null, "en_speaker_1", "en_speaker_0"];
    const { history_prompt } = await processor(["a", "b", "c", "d"], { voice_preset });
    const [one, zero] = [await processor.loadVoice("en_speaker_1"), await processor.loadVoice("en_speaker_0")];
    expect(history_prompt).to.deep.equal([one, null, one, zero]);
    expect(history_prompt[0]).to.equal(history_prompt[2]);
    for (const wrong of [[], ["en_speaker_0"], ["en_speaker_0", "en_speaker_0", null]])
      expect(await fault(processor(["a", "b"], { voice_preset: wrong }))).to.match(
        /^usage voice_preset: has another number of voices than there are texts \(expected 2 voices/,
      );
    expect(await fault(processor(["a"], { voice_preset: [5] } as never))).to.match(
      /^usage voice_preset\[0\]: wrong value/,
    );
  });

  it("is made of a tokenizer and an index of presets", async () => {
    const tokenizer = await BarkTokenizer.from_pretrained("spec/fixtures/cased");
    const { speaker_embeddings } = processor;
    expect(speaker_embeddings).to.include({ repo_or_path: "spec/fixtures/cased" });
    expect(speaker_embeddings?.["en_speaker_0"]).to.have.keys("semantic_prompt", "coarse_prompt", "fine_prompt");
    const made = new BarkProcessor(tokenizer, speaker_embeddings);
    expect(made).to.be.instanceOf(BarkProcessor);
    expect([made.tokenizer, made.speaker_embeddings]).to.deep.equal([tokenizer, speaker_embeddings]);
    expect(await made("Hello", { voice_preset: "en_speaker_1" })).to.deep.equal(
      await processor("Hello", { voice_preset: "en_speaker_1" }),
    );
    const bare = new BarkProcessor(tokenizer);
    expect([bare.speaker_embeddings, bare.available_voice_presets]).to.deep.equal([null, []]);
    expect(await fault(bare("Hello", { voice_preset: "en_speaker_1" }))).to.match(
      /^bad-input en_speaker_1: no such voice/,
    );
    expect((await engineErrorOf(() => new BarkProcessor({} as never))).message).to.match(/^tokenizer: wrong value/);
    expect((await engineErrorOf(() => new BarkProcessor(tokenizer, [] as never))).message).to.match(
      /^speaker_embeddings: /,
    );
  });

  it("takes whole paths of presets where nothing says what they are in", async () => {
    const folder = path.resolve("spec/fixtures/cased/speaker_embeddings");
    const paths = ["semantic", "coarse", "fine"].map((kind) => [
      `${kind}_prompt`,
      `${folder}/en_speaker_0_${kind}_prompt.npy`,
    ]);
    const made = new BarkProcessor(processor.tokenizer, { me: Object.fromEntries(paths) as Record<string, string> });
    expect(await made.loadVoice("me")).to.deep.equal(await processor.loadVoice("en_speaker_0"));
    const out = new BarkProcessor(processor.tokenizer, {
      repo_or_path: "spec/fixtures/cased",
      me: { semantic_prompt: "../x.npy" },
    });
    expect(await fault(out.loadVoice("me"))).to.match(/Invalid voice preset path/);
  });

  it("has no presets where the index is null or missing", async () => {
    for (const speaker_embeddings_dict_path of [null, "nowhere.json"]) {
      const opened = await BarkProcessor.from_pretrained("spec/fixtures/cased", { speaker_embeddings_dict_path });
      expect([opened.speaker_embeddings, opened.available_voice_presets]).to.deep.equal([null, []]);
    }
  });

  it("reads a subfolder, and what that lacks from above it, where transformers reads all but the index", async () => {
    const top = await BarkProcessor.from_pretrained("spec/fixtures", { subfolder: "cased" });
    expect(top.available_voice_presets).to.deep.equal(processor.available_voice_presets);
    const index = await BarkProcessor.from_pretrained("spec/fixtures/cased", { subfolder: "speaker_embeddings" });
    expect(await index("Hello", { voice_preset: "en_speaker_0" })).to.deep.equal(
      await processor("Hello", { voice_preset: "en_speaker_0" }),
    );
  });

  it("reports where a text is cut", () => {
    expect(processor.truncation("Hello Hello", 3)).to.deep.equal({ tokens: 6, limit: 3, kept: "Hello", lost: "Hello" });
    expect(processor.truncation("Hello", 3)).to.equal(undefined);
  });

  it("says once what of the texts is not heard", async () => {
    const unknown = "not in the vocabulary of the checkpoint, and not spoken as written: ";
    for (const [text, ...lines] of [
      ["Hello"],
      ["Hello [UNK]", `${unknown}"[UNK]"`],
      ["", "a text is empty: what the model speaks then is up to chance"],
      ["Hello 日本語, dog😀 日", `${unknown}"日", "本", "語", "dog😀"`],
      ["♪ Hello ♪", `${unknown}"♪"`],
      [
        `Hello ${"語".repeat(30)} あいう えおか 한국어 조선말 😀😀 ☃☃`,
        `${unknown}"語", "あいう", "えおか", "한국어", "조선말", … (7)`,
      ],
      [`Hello ${"😀".repeat(30)}`, `${unknown}"${"😀".repeat(20)}…"`],
      [`Hello ${"あ".repeat(30)}`, `${unknown}"${"あ".repeat(20)}…"`],
    ]) {
      await processor(text);
      expect(notices.splice(0), text).to.deep.equal(lines);
    }
    await processor(["♪ a", "☃ b", "♪ c"]);
    expect(notices).to.deep.equal([`${unknown}"♪", "☃"`]);
  });

  it("says once that texts are cut, by the slots of the checkpoint or by truncation", async () => {
    const long = "Hello ".repeat(22);
    const inside = `the text has 66 tokens, of which 64 are kept: it ends after "…o${" Hello".repeat(6)} He"; left out: "llo "`;
    const between = `the text has 66 tokens, of which 63 are kept: it ends after "…ello${" Hello".repeat(6)}"; left out: "Hello "`;
    await processor("Hello ".repeat(21));
    expect(notices).to.deep.equal([]);
    await processor(long);
    expect(notices.splice(0)).to.deep.equal([inside]);
    await processor([long, "Hello", long], { truncation: true, max_length: 65 });
    expect(notices.splice(0)).to.deep.equal([`${inside} (2 texts of the batch are cut)`]);
    await processor(long, { truncation: true, max_length: 63 });
    expect(notices.splice(0)).to.deep.equal([between]);
    await processor("Hello ".repeat(21), { add_special_tokens: true });
    expect(notices.splice(0)).to.deep.equal([]);
    await processor(long, { add_special_tokens: true });
    expect(notices.splice(0)).to.deep.equal([between]);
  });

  it("refuses a text of which nothing is heard", async () => {
    for (const text of ["日本語", "[UNK]", "😀", "  ", "\u200b", "\n"])
      expect(await fault(processor(text)), JSON.stringify(text)).to.match(
        text.trim() === "" || text === "\u200b"
          ? /^usage text: holds nothing to speak \(.*; give words$/
          : /^usage text: holds no word of the checkpoint's vocabulary \(/,
      );
    expect(await fault(processor(["Hello", "日本語"]))).to.match(/^usage text\[1\]: holds no word of/);
    expect(notices).to.deep.equal([]);
  });

  it("refuses anything but text, and wrong lengths and voices", async () => {
    for (const wrong of [undefined, null, 5, [], ["a", 5], [["a"]]])
      expect(await fault(processor(wrong as never)), JSON.stringify(wrong)).to.match(
        /^usage text: wrong value \(expected a string or a list of at least one string \(or pair of strings\), got /,
      );
    expect(await fault(processor("a", { max_length: 0 }))).to.match(/^usage max_length: /);
    expect(await fault(processor("a", { voice_preset: "nobody" }))).to.match(/^bad-input nobody: no such voice/);
    const half = { semantic_prompt: new NdArray(Int32Array.of(1), [1]) };
    expect(await fault(processor("a", { voice_preset: half }))).to.match(/missing coarse_prompt as a key/);
  });
});
