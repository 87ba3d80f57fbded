import { expect } from "chai";
import { readFileSync } from "node:fs";
import { BarkConfig } from "../../../bark/config/config.ts";
import {
  checkGenerate,
  checkGenerationFits,
  checkVoiceFits,
} from "../../../bark/generate/options/generation_checks.ts";
import { BarkGenerationConfig } from "../../../bark/config/generation_config.ts";
import { maxSemanticTokens } from "../../../bark/generate/semantic_plan.ts";
import type { HistoryPrompt } from "../../../bark/voice/history_prompt.ts";
import type { EngineError } from "../../../engine/errors.ts";
import type { JsonObject } from "../../../engine/check/json_fields.ts";
import { NdArray } from "../../../engine/ndarray.ts";

const read = (name: string) =>
  JSON.parse(readFileSync(`spec/fixtures/cased/${name}`, "utf8")) as Record<string, JsonObject>;
const cased = BarkConfig.from_dict(read("config.json"));
const casedGeneration = read("generation_config.json");

describe("checkGenerationFits", () => {
  it("takes Bark's own numbers and the embedded checkpoint's", () => {
    const sizes = { block_size: 1024, hidden_size: 24 };
    const bark = new BarkConfig({
      semantic_config: { ...sizes, input_vocab_size: 129600, output_vocab_size: 10048 },
      coarse_acoustics_config: { ...sizes, input_vocab_size: 12096, output_vocab_size: 12096 },
      fine_acoustics_config: { ...sizes, input_vocab_size: 1056, output_vocab_size: 1056 },
    });
    expect(() => checkGenerationFits(new BarkGenerationConfig(), bark)).to.not.throw();
    expect(() => checkGenerationFits(BarkGenerationConfig.from_dict(casedGeneration), cased)).to.not.throw();
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
      const changed = { ...casedGeneration, [part]: { ...casedGeneration[part], ...fields } };
      expect(() => checkGenerationFits(BarkGenerationConfig.from_dict(changed), cased)).to.throw(
        "coarse_rate_hz does not fit semantic_rate_hz",
      );
    });

  it("names the field that does not fit", () => {
    const changed = (part: string, fields: JsonObject) => () =>
      checkGenerationFits(
        BarkGenerationConfig.from_dict({ ...casedGeneration, [part]: { ...casedGeneration[part], ...fields } }),
        cased,
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
    const codes = BarkGenerationConfig.from_dict({ ...casedGeneration, codebook_size: 1032 });
    expect(() => checkGenerationFits(codes, cased)).to.throw("codebook_size does not fit");
    expect(() => checkGenerationFits(new BarkGenerationConfig(), cased)).to.throw("does not fit config.json");
  });
});

describe("checkVoiceFits", () => {
  const generation = BarkGenerationConfig.from_dict(casedGeneration);
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
    expect(() => checkVoiceFits(voice, generation, cased)).to.not.throw();
  });

  it("names the prompt that does not fit", () => {
    const changed = (change: Partial<HistoryPrompt>) => () =>
      checkVoiceFits({ ...voice, ...change }, generation, cased);
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

describe("what does not fit", () => {
  const generation = BarkGenerationConfig.from_dict(casedGeneration);
  const fault = (call: () => unknown): EngineError => {
    try {
      call();
    } catch (error) {
      return error as EngineError;
    }
    return expect.fail("no error");
  };
  const array = (values: number[], shape: number[]) => new NdArray(Int32Array.from(values), shape);
  const voice: HistoryPrompt = {
    semantic_prompt: array([0, 720], [2]),
    coarse_prompt: array([0, 1, 2, 3], [2, 2]),
    fine_prompt: array(new Array<number>(16).fill(0), [8, 2]),
  };

  it("is reported with its part, the greatest that fits and why", () => {
    const told = (part: string, fields: JsonObject): string => {
      const changed = { ...casedGeneration, [part]: { ...casedGeneration[part], ...fields } };
      const error = fault(() => checkGenerationFits(BarkGenerationConfig.from_dict(changed), cased, "g.json"));
      expect(error.code).equal("bad-input");
      expect(error.fix).equal("check that generation_config.json belongs to this checkpoint");
      return error.toLine().split(";")[0];
    };
    for (const [part, field, value, expected] of [
      ["semantic_config", "eos_token_id", 1536, "at most 1535 (last id of the semantic model)"],
      ["semantic_config", "max_input_semantic_length", 640, "at most 639 (block_size - 1)"],
      ["semantic_config", "semantic_vocab_size", 1752, "at most 1751 (ids of the coarse model)"],
      ["coarse_acoustics_config", "coarse_infer_token", 2776, "at most 2775 (last id of the coarse model)"],
      ["coarse_acoustics_config", "max_coarse_input_length", 432, "at most 431 (block_size - 1)"],
      ["fine_acoustics_config", "max_fine_input_length", 257, "at most 256 (block_size)"],
    ] as const)
      expect(told(part, { [field]: value })).equal(
        `g.json: ${part}: ${field} does not fit config.json (expected ${expected}, got ${value})`,
      );
    expect(told("fine_acoustics_config", { n_fine_codebooks: 7 })).equal(
      "g.json: the codebooks of the stages do not fit the fine model " +
        "(expected n_fine_codebooks 8, n_coarse_codebooks 1 to 8, got 7, 2)",
    );
    expect(told("coarse_acoustics_config", { coarse_rate_hz: 1e6 })).match(
      /^g\.json: coarse_acoustics_config: .*expected at most 431 coarse tokens/,
    );
  });

  it("is reported with generation_config.json where no name is given", () => {
    const error = fault(() => checkGenerationFits(new BarkGenerationConfig(), cased));
    expect(error.where).equal("generation_config.json: semantic_config");
  });

  it("of codebooks: as many as the codec and the fine model have, from the given ones on", () => {
    const changed = (part: string, fields: JsonObject): BarkConfig => {
      const json = read("config.json");
      return BarkConfig.from_dict({ ...json, [part]: { ...json[part], ...fields } });
    };
    const codes = (codebook_size: number) => BarkGenerationConfig.from_dict({ ...casedGeneration, codebook_size });
    const size = cased.codec_config.codebook_size;
    const few = changed("codec_config", { codebook_size: size - 1 });
    expect(fault(() => checkGenerationFits(codes(size), few)).toLine()).match(
      /fine_acoustics_config: codebook_size does not fit config.json \(expected at most \d+ \(codes of the codec/,
    );
    const { input_vocab_size } = cased.fine_acoustics_config;
    const wide = changed("codec_config", { codebook_size: 5000 });
    expect(fault(() => checkGenerationFits(codes(input_vocab_size), wide)).toLine()).contain(
      `fine_acoustics_config: codebook_size does not fit config.json (expected at most ${input_vocab_size - 1} (last`,
    );
    const given = (n_codes_given: number) => changed("fine_acoustics_config", { n_codes_given });
    expect(() => checkGenerationFits(generation, given(2))).not.throw();
    expect(fault(() => checkGenerationFits(generation, given(3))).problem).match(/codebooks of the stages/);
  });

  it("of a voice is reported with the prompt and the ids that fit", () => {
    for (const [change, line] of [
      [{ semantic_prompt: array([3, 1536], [2]) }, "semantic_prompt .*expected ids from 0 to 1535, got 1536"],
      [{ coarse_prompt: array([0, -1], [2, 1]) }, "coarse_prompt .*expected ids from 0 to 1031, got -1"],
      [{ coarse_prompt: array([0, 1, 2], [3, 1]) }, "coarse_prompt .*expected 2 codebooks, got 3"],
      [{ fine_prompt: array([0], [1, 1]) }, "fine_prompt .*expected 8 codebooks, got 1"],
    ] as const) {
      const error = fault(() => checkVoiceFits({ ...voice, ...change }, generation, cased));
      expect([error.code, error.where]).deep.equal(["bad-input", "history_prompt"]);
      expect(error.toLine()).match(new RegExp(line));
      expect(error.fix).equal("use a voice that was made for this checkpoint");
      expect(fault(() => checkVoiceFits({ ...voice, ...change }, generation, cased, "v.npz")).where).equal("v.npz");
    }
  });

  it("of tokens is cut where the config asks for more than there are positions", () => {
    const tokens = (kwargs: object): number => checkGenerate(kwargs, null, generation, cased).semantic.max_new_tokens;
    expect(tokens({ semantic_max_new_tokens: 5 })).equal(5);
    const limit = maxSemanticTokens(generation.semantic_config, cased.semantic_config.block_size);
    // Whoever asks for more gets them, or the fault, once the speech does not end before the positions do.
    expect(tokens({ semantic_max_new_tokens: limit + 1 })).equal(limit + 1);
    const long = BarkGenerationConfig.from_dict({
      ...casedGeneration,
      semantic_config: { ...casedGeneration["semantic_config"], max_new_tokens: limit + 9 },
    });
    const cut = checkGenerate({}, voice, long, cased);
    expect([cut.semantic.max_new_tokens, cut.coarse.do_sample]).deep.equal([
      limit,
      checkGenerate({}, null, generation, cased).coarse.do_sample,
    ]);
    const wrong = { ...voice, semantic_prompt: array([99999], [1]) };
    expect(fault(() => checkGenerate({}, wrong, generation, cased)).problem).match(/semantic_prompt of the voice/);
  });
});
