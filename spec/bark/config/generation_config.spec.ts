import { expect } from "chai";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  BarkCoarseGenerationConfig,
  BarkFineGenerationConfig,
  BarkGenerationConfig,
  BarkSemanticGenerationConfig,
} from "../../../bark/config/generation_config.ts";
import type { JsonObject } from "../../../engine/check/json_fields.ts";
import "../../../engine/node/index.ts";
import { storeOf } from "../../support/files/memory_files.ts";

const cased = JSON.parse(readFileSync("spec/fixtures/cased/generation_config.json", "utf8")) as JsonObject;

describe("BarkGenerationConfig", () => {
  it("has the class defaults of transformers", () => {
    const { semantic_config, coarse_acoustics_config, fine_acoustics_config, ...rest } =
      new BarkGenerationConfig().to_dict();
    expect(rest).to.deep.equal({ model_type: "bark", sample_rate: 24000, codebook_size: 1024 });
    expect(semantic_config).to.include({
      eos_token_id: 10000,
      semantic_pad_token: 10000,
      max_new_tokens: 768,
      do_sample: false,
      temperature: 1,
      top_k: null,
      text_encoding_offset: 10048,
      text_pad_token: 129595,
      semantic_infer_token: 129599,
      semantic_vocab_size: 10000,
      max_input_semantic_length: 256,
      semantic_rate_hz: 49.9,
      min_eos_p: null,
    });
    expect(coarse_acoustics_config).to.include({
      do_sample: false,
      temperature: 1,
      coarse_semantic_pad_token: 12048,
      coarse_rate_hz: 75,
      n_coarse_codebooks: 2,
      coarse_infer_token: 12050,
      max_coarse_input_length: 256,
      max_coarse_history: 630,
      sliding_window_len: 60,
    });
    expect(fine_acoustics_config).to.deep.equal({
      model_type: "fine_acoustics",
      temperature: 1,
      max_fine_history_length: 512,
      max_fine_input_length: 1024,
      n_fine_codebooks: 8,
    });
  });

  const sampling = { do_sample: true, temperature: 0.5, top_k: 3, top_p: 0.25, renormalize_logits: false };
  const parts = [
    [
      BarkSemanticGenerationConfig,
      {
        ...{ model_type: "semantic", ...sampling, eos_token_id: 1, semantic_pad_token: 1, max_new_tokens: 2 },
        ...{ text_encoding_offset: 4, text_pad_token: 5, semantic_infer_token: 6, semantic_vocab_size: 7 },
        ...{ max_input_semantic_length: 8, semantic_rate_hz: 9.5, min_eos_p: 0.125 },
      },
      ["max_new_tokens", "semantic_vocab_size", "max_input_semantic_length"],
    ],
    [
      BarkCoarseGenerationConfig,
      {
        ...{ model_type: "coarse_acoustics", ...sampling, coarse_semantic_pad_token: 1, coarse_rate_hz: 2.5 },
        ...{ n_coarse_codebooks: 3, coarse_infer_token: 4, max_coarse_input_length: 5, max_coarse_history: 6 },
        sliding_window_len: 7,
      },
      ["n_coarse_codebooks", "max_coarse_input_length", "sliding_window_len"],
    ],
    [
      BarkFineGenerationConfig,
      {
        ...{ model_type: "fine_acoustics", temperature: 0.5, max_fine_history_length: 2, max_fine_input_length: 2 },
        n_fine_codebooks: 4,
      },
      ["max_fine_history_length", "max_fine_input_length", "n_fine_codebooks"],
    ],
  ] as const;
  for (const [Part, fields, counts] of parts)
    it(`reads each field of a ${Part.name} by its name, and says which is not at least 1`, () => {
      expect(new Part(fields).to_dict()).to.deep.equal(fields);
      expect(Part.from_dict({ ...fields, mine: 5 }).to_dict()).to.deep.equal(fields);
      for (const name of counts) {
        const says = `wrong value of "${name}" (expected an integer ≥ 1, got 0)`;
        expect(() => new Part({ ...fields, [name]: 0 })).to.throw(`${Part.name}: ${says}`);
        expect(() => Part.from_dict({ ...fields, [name]: 0 }, "f.json")).to.throw(`f.json: ${says}`);
      }
      const { model_type, top_p = null, renormalize_logits = true } = new Part().to_dict();
      expect([model_type, top_p, renormalize_logits]).to.deep.equal([fields.model_type, null, true]);
    });

  it("takes null of a file as unset", () => {
    const unset = { eos_token_id: null, max_new_tokens: null, do_sample: null };
    expect(BarkSemanticGenerationConfig.from_dict(unset)).to.deep.equal(new BarkSemanticGenerationConfig());
  });

  it("says in code and of a file which field of the whole is wrong", () => {
    expect(new BarkGenerationConfig({ codebook_size: 1 }).codebook_size).to.equal(1);
    const says = 'wrong value of "codebook_size" (expected an integer ≥ 1, got 0)';
    expect(() => new BarkGenerationConfig({ codebook_size: 0 })).to.throw(`BarkGenerationConfig: ${says}`);
    expect(() => BarkGenerationConfig.from_dict({ codebook_size: 0 })).to.throw(`generation_config.json: ${says}`);
  });

  it("writes generation_config.json without what is unset, which reads as the same", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "bark-generation-config-"));
    try {
      await new BarkGenerationConfig({ fine_acoustics_config: { temperature: null } }).save_pretrained(folder);
      const cased = JSON.parse(readFileSync(path.join(folder, "generation_config.json"), "utf8")) as JsonObject;
      for (const part of ["semantic_config", "coarse_acoustics_config"])
        expect(cased[part], part).to.not.have.any.keys("top_k", "top_p", "min_eos_p");
      expect(cased["fine_acoustics_config"]).to.have.property("temperature", null);
      expect(BarkGenerationConfig.from_dict(cased).to_dict()).to.deep.equal(
        new BarkGenerationConfig({ fine_acoustics_config: { temperature: null } }).to_dict(),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("reads a checkpoint's file and survives to_dict", async () => {
    const config = await BarkGenerationConfig.from_pretrained(
      storeOf({ "generation_config.json": JSON.stringify(cased) }),
    );
    expect(config.semantic_config).to.include({
      eos_token_id: 720,
      text_encoding_offset: 728,
      temperature: 0.3,
      top_k: 50,
    });
    expect(config.coarse_acoustics_config).to.include({ max_coarse_history: 242, coarse_infer_token: 2770 });
    expect(config.fine_acoustics_config).to.include({ max_fine_input_length: 256, max_fine_history_length: 128 });
    expect(BarkGenerationConfig.from_dict(config.to_dict())).to.deep.equal(config);
  });

  it("uses the class defaults where the checkpoint has no file", async () => {
    expect(await BarkGenerationConfig.from_pretrained(storeOf({}))).to.deep.equal(new BarkGenerationConfig());
  });

  it("overwrites semantic_pad_token by eos_token_id and ignores unknown keys", () => {
    const config = BarkGenerationConfig.from_dict({
      semantic_config: { eos_token_id: 7, semantic_pad_token: 9, num_beams: 1, max_length: 20 },
      fine_acoustics_config: { temperature: null, do_sample: true, top_k: 3 },
    });
    expect(config.semantic_config).to.include({ eos_token_id: 7, semantic_pad_token: 7 });
    expect(config.fine_acoustics_config.to_dict()).to.have.keys(
      "model_type",
      "temperature",
      "max_fine_history_length",
      "max_fine_input_length",
      "n_fine_codebooks",
    );
    expect(config.fine_acoustics_config.temperature).to.equal(null);
  });

  it("puts its parts together", () => {
    const parts = [
      new BarkSemanticGenerationConfig({ eos_token_id: 3 }),
      new BarkCoarseGenerationConfig({ sliding_window_len: 20 }),
      new BarkFineGenerationConfig({ temperature: 0.5 }),
    ] as const;
    const config = BarkGenerationConfig.from_sub_model_configs(...parts, { sample_rate: 16000 });
    expect(config.semantic_config).to.equal(parts[0]);
    expect(config.coarse_acoustics_config).to.equal(parts[1]);
    expect(config.fine_acoustics_config).to.equal(parts[2]);
    expect(config).to.include({ sample_rate: 16000, codebook_size: 1024 });
  });

  it("reports fields of a file that change transformers' answer and that nothing follows", async () => {
    const read = async (part: string, fields: JsonObject): Promise<string[]> => {
      const notices: string[] = [];
      const json = JSON.stringify({ ...cased, [part]: { ...(cased[part] as JsonObject), ...fields } });
      const store = storeOf({ "generation_config.json": json });
      await BarkGenerationConfig.from_pretrained(store, { onNotice: (line) => notices.push(line) });
      return notices;
    };
    expect(
      await read("semantic_config", { guidance_scale: 2, num_beam_groups: 2, no_repeat_ngram_size: 3 }),
    ).deep.equal([
      "memory/generation_config.json: semantic_config: num_beam_groups, guidance_scale changes what transformers answers " +
        "and is not followed here",
    ]);
    for (const fields of [
      ...[{ penalty_alpha: 0.5 }, { force_words_ids: [[3]] }, { constraints: [] }, { watermarking_config: {} }],
      ...[{ stop_strings: "x" }, { dola_layers: "low" }, { prompt_lookup_num_tokens: 3 }, { token_healing: true }],
    ]) {
      expect(await read("coarse_acoustics_config", fields), JSON.stringify(fields)).to.have.length(1);
      expect(await read("fine_acoustics_config", fields)).to.deep.equal([]);
      expect(await read("x", fields)).to.deep.equal([]);
    }
    const neutral = {
      ...{ num_beams: 1, num_beam_groups: 1, num_return_sequences: 1, repetition_penalty: 1, no_repeat_ngram_size: 0 },
      ...{ encoder_no_repeat_ngram_size: 0, bad_words_ids: null, suppress_tokens: null, begin_suppress_tokens: [] },
      ...{
        forced_bos_token_id: null,
        typical_p: 1,
        min_p: null,
        epsilon_cutoff: 0,
        eta_cutoff: 0,
        penalty_alpha: null,
      },
      ...{ guidance_scale: null, min_length: 0, min_new_tokens: null, pad_token_id: null, length_penalty: 1, mine: 5 },
      ...{ max_length: 20, early_stopping: false, diversity_penalty: 0, output_scores: true, use_cache: false },
    };
    for (const part of ["semantic_config", "coarse_acoustics_config"])
      expect(await read(part, neutral), part).to.deep.equal([]);
    const unheard = storeOf({ "generation_config.json": '{"semantic_config":{"guidance_scale":4}}' });
    expect((await BarkGenerationConfig.from_pretrained(unheard)).semantic_config.max_new_tokens).to.equal(768);
  });

  it("keeps transformers' further fields of the causal stages, and says which is wrong", () => {
    const fields = {
      ...{ num_beams: 4, no_repeat_ngram_size: 3, bad_words_ids: [[1], [2, 3]], forced_eos_token_id: [4, 5] },
      ...{ early_stopping: "never", exponential_decay_length_penalty: [3, 1.5], min_p: 0.1, max_time: 2.5 },
    };
    for (const Part of [BarkSemanticGenerationConfig, BarkCoarseGenerationConfig]) {
      const config = new Part({ ...fields, typical_p: null });
      expect(config.to_dict()).to.deep.include(fields).and.not.have.property("typical_p");
      expect(Part.from_dict(config.to_dict())).to.deep.equal(config);
      expect(() => Part.from_dict({ num_beams: 0 }, "f.json")).to.throw(
        'f.json: wrong value of "num_beams" (expected an integer ≥ 1, got 0)',
      );
    }
    expect(new BarkCoarseGenerationConfig({ eos_token_id: [1, 2] }).eos_token_id).to.deep.equal([1, 2]);
  });

  it("refuses in code what would be lost in silence", () => {
    const { semantic_config } = cased as { semantic_config: JsonObject };
    expect(() => new BarkSemanticGenerationConfig({ temprature: 1 })).to.throw('did you mean "temperature"');
    expect(() => new BarkCoarseGenerationConfig({ slide_window_len: 1 })).to.throw('did you mean "sliding_window_len"');
    expect(() => new BarkFineGenerationConfig({ n_fine_codebook: 1 })).to.throw('did you mean "n_fine_codebooks"');
    expect(() => new BarkGenerationConfig({ samplerate: 1 } as never)).to.throw('did you mean "sample_rate"');
    for (const part of ["semantic_config", "coarse_acoustics_config"])
      expect(() => new BarkGenerationConfig({ [part]: { guidance_scale: 4 } }))
        .to.throw("guidance_scale: is not followed")
        .with.property("code", "usage");
    expect(() => new BarkFineGenerationConfig({ num_beams: 4 })).to.not.throw();
    expect(() => new BarkGenerationConfig(new BarkCoarseGenerationConfig() as never)).to.throw(
      "takes its parts by name",
    );
    const wrong = { fine_acoustics_config: new BarkCoarseGenerationConfig() as never };
    expect(() => new BarkGenerationConfig(wrong)).to.throw("fine_acoustics_config: is of another class");
    expect(() => new BarkGenerationConfig({ semantic_config })).to.not.throw();
    expect(() => new BarkGenerationConfig(BarkGenerationConfig.from_dict(cased).to_dict())).to.not.throw();
    const missing = [new BarkSemanticGenerationConfig()] as unknown as [never, never, never];
    expect(() => BarkGenerationConfig.from_sub_model_configs(...missing)).to.throw(
      "coarse_acoustics_config: is missing",
    );
  });

  it("names a wrong field with its part", () => {
    const read = (fields: JsonObject) => () => BarkGenerationConfig.from_dict(fields);
    expect(read({ semantic_config: { eos_token_id: [1, 2] } })).to.throw('wrong value of "eos_token_id"');
    expect(read({ coarse_acoustics_config: { sliding_window_len: 0 } })).to.throw(
      'wrong value of "sliding_window_len"',
    );
    expect(read({ fine_acoustics_config: { max_fine_history_length: 2000 } })).to.throw("max_fine_history_length");
    for (const sample_rate of [0, 2 ** 32, 2 ** 33, 0.5])
      expect(read({ sample_rate })).to.throw('wrong value of "sample_rate"');
    expect(read({ semantic_config: 5 })).to.throw("not a JSON object");
  });
});
