import { expect } from "chai";
import { readFileSync } from "node:fs";
import { BarkConfig } from "../../bark/config.ts";
import { checkGenerationFits, checkVoiceFits } from "../../bark/generation_checks.ts";
import { BarkGenerationConfig } from "../../bark/generation_config.ts";
import type { HistoryPrompt } from "../../bark/voices.ts";
import type { JsonObject } from "../../engine/json_fields.ts";
import { NdArray } from "../../engine/ndarray.ts";

const read = (name: string) => JSON.parse(readFileSync(`models/nano/${name}`, "utf8")) as Record<string, JsonObject>;
const nano = BarkConfig.from_dict(read("config.json"));
const nanoGeneration = read("generation_config.json");

describe("checkGenerationFits", () => {
  it("takes Bark's own numbers and the embedded checkpoint's", () => {
    const sizes = { block_size: 1024, hidden_size: 24 };
    const bark = new BarkConfig({
      semantic_config: { ...sizes, input_vocab_size: 129600, output_vocab_size: 10048 },
      coarse_acoustics_config: { ...sizes, input_vocab_size: 12096, output_vocab_size: 12096 },
      fine_acoustics_config: { ...sizes, input_vocab_size: 1056, output_vocab_size: 1056 },
    });
    expect(() => checkGenerationFits(new BarkGenerationConfig(), bark)).to.not.throw();
    expect(() => checkGenerationFits(BarkGenerationConfig.from_dict(nanoGeneration), nano)).to.not.throw();
  });

  for (const [part, fields] of [
    ["coarse_acoustics_config", { coarse_rate_hz: 1e6 }],
    ["coarse_acoustics_config", { coarse_rate_hz: 1e308 }],
    ["coarse_acoustics_config", { coarse_rate_hz: 1e-300 }],
    ["coarse_acoustics_config", { coarse_rate_hz: 5e-324 }],
    ["semantic_config", { semantic_rate_hz: 1e-300 }],
    ["semantic_config", { semantic_rate_hz: 1e300 }],
  ] as const)
    it(`refuses rates out of all proportion: ${JSON.stringify(fields)}`, () => {
      const changed = { ...nanoGeneration, [part]: { ...nanoGeneration[part], ...fields } };
      expect(() => checkGenerationFits(BarkGenerationConfig.from_dict(changed), nano)).to.throw(
        "coarse_rate_hz does not fit semantic_rate_hz",
      );
    });

  it("names the field that does not fit", () => {
    const changed = (part: string, fields: JsonObject) => () =>
      checkGenerationFits(
        BarkGenerationConfig.from_dict({ ...nanoGeneration, [part]: { ...nanoGeneration[part], ...fields } }),
        nano,
      );
    expect(changed("semantic_config", { semantic_infer_token: 1536 })).to.throw("semantic_infer_token does not fit");
    expect(changed("semantic_config", { semantic_infer_token: 1535 })).to.not.throw();
    expect(changed("semantic_config", { max_input_semantic_length: 640 })).to.throw("max_input_semantic_length");
    expect(changed("semantic_config", { semantic_vocab_size: 1752 })).to.throw("semantic_vocab_size");
    expect(changed("semantic_config", { semantic_vocab_size: 1751 })).to.not.throw();
    expect(changed("coarse_acoustics_config", { coarse_infer_token: 2776 })).to.throw("coarse_infer_token");
    expect(changed("fine_acoustics_config", { max_fine_input_length: 257 })).to.throw("max_fine_input_length");
    expect(changed("fine_acoustics_config", { n_fine_codebooks: 7 })).to.throw("codebooks of the stages");
    expect(changed("coarse_acoustics_config", { max_coarse_input_length: 432 })).to.throw("max_coarse_input_length");
    for (const n_coarse_codebooks of [9, 1e9])
      expect(changed("coarse_acoustics_config", { n_coarse_codebooks })).to.throw("codebooks of the stages");
    const codes = BarkGenerationConfig.from_dict({ ...nanoGeneration, codebook_size: 1032 });
    expect(() => checkGenerationFits(codes, nano)).to.throw("codebook_size does not fit");
    expect(() => checkGenerationFits(new BarkGenerationConfig(), nano)).to.throw("does not fit config.json");
  });
});

describe("checkVoiceFits", () => {
  const generation = BarkGenerationConfig.from_dict(nanoGeneration);
  const array = (values: number[], rows: number) => new NdArray(Int32Array.from(values), [rows, values.length / rows]);
  const voice: HistoryPrompt = {
    semantic_prompt: new NdArray(Int32Array.of(0, 720), [2]),
    coarse_prompt: array([0, 1023, 5, 1031], 2),
    fine_prompt: array(
      Array.from({ length: 16 }, (_, i) => i * 60),
      8,
    ),
  };

  it("takes ids that the tables hold", () => {
    expect(() => checkVoiceFits(voice, generation, nano)).to.not.throw();
  });

  it("names the prompt that does not fit", () => {
    const changed = (change: Partial<HistoryPrompt>) => () => checkVoiceFits({ ...voice, ...change }, generation, nano);
    expect(changed({ semantic_prompt: new NdArray(Int32Array.of(9999), [1]) })).to.throw(
      "semantic_prompt of the voice",
    );
    // 720 semantic ids, 1024 codes of codebook 0: 2776 - 1744 = 1032 ids are left.
    expect(changed({ coarse_prompt: array([0, 1032], 2) })).to.throw("coarse_prompt of the voice");
    expect(changed({ coarse_prompt: array([0, 1, 2], 3) })).to.throw("coarse_prompt of the voice");
    expect(changed({ fine_prompt: array([1032, 0, 0, 0, 0, 0, 0, 0], 8) })).to.throw("fine_prompt of the voice");
    expect(changed({ fine_prompt: array([1, 2, 3, 4, 5, 6], 6) })).to.throw("fine_prompt of the voice");
  });
});
