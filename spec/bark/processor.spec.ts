import { expect } from "chai";
import { BarkProcessor } from "../../bark/processor.ts";
import type { EngineError } from "../../engine/errors.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { DirectoryStore } from "../../engine/node/directory_store.ts";
import "../../engine/node/index.ts";

describe("BarkProcessor", () => {
  let processor: BarkProcessor;
  before(async () => {
    processor = await BarkProcessor.from_pretrained(new DirectoryStore("models/nano"));
  });

  async function fault(work: Promise<unknown>): Promise<string> {
    return await work.then(
      () => "no error",
      (error: EngineError) => `${error.code} ${error.toLine()}`,
    );
  }

  // Ids by transformers 5.23: BarkProcessor.from_pretrained("models/nano")("Hello [MASK] World [UNK]x").
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
    const opened = await BarkProcessor.from_pretrained("models/nano");
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

  it("adds the voice as history_prompt", async () => {
    const { history_prompt } = await processor("Hello", { voice_preset: "en_speaker_1" });
    expect(history_prompt?.coarse_prompt.shape).to.deep.equal([2, history_prompt?.fine_prompt.shape[1]]);
    expect(history_prompt).to.deep.equal(await processor.loadVoice("en_speaker_1"));
    expect(await processor("Hello", { voice_preset: null })).to.not.have.property("history_prompt");
    expect(processor.available_voice_presets).to.deep.equal(["en_speaker_0", "en_speaker_1"]);
  });

  it("reports where a text is cut", () => {
    expect(processor.truncation("Hello Hello", 3)).to.deep.equal({ tokens: 6, limit: 3, kept: "Hello", lost: "Hello" });
    expect(processor.truncation("Hello", 3)).to.equal(undefined);
  });

  it("refuses what is no text, and wrong lengths and voices", async () => {
    for (const wrong of [undefined, null, 5, [], ["a", 5], [["a"]]])
      expect(await fault(processor(wrong as never)), JSON.stringify(wrong)).to.match(
        /^usage text: wrong value \(expected a string or a list of at least one string, got /,
      );
    expect(await fault(processor("a", { max_length: 0 }))).to.match(/^usage max_length: /);
    expect(await fault(processor("a", { voice_preset: "nobody" }))).to.match(/^bad-input nobody: no such voice/);
    const half = { semantic_prompt: new NdArray(Int32Array.of(1), [1]) };
    expect(await fault(processor("a", { voice_preset: half }))).to.match(/missing coarse_prompt as a key/);
  });
});
