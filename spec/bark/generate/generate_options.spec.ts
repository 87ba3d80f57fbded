import { expect } from "chai";
import { readGenerateArguments } from "../../../bark/generate/options/generate_arguments.ts";
import {
  routeGenerateKwargs,
  resolveSemantic,
  type GenerateKwargs,
} from "../../../bark/generate/options/generate_options.ts";
import { BarkGenerationConfig, BarkSemanticGenerationConfig } from "../../../bark/config/generation_config.ts";
import { EngineError } from "../../../engine/errors.ts";

describe("routeGenerateKwargs", () => {
  const hub = new BarkGenerationConfig({
    semantic_config: { do_sample: true, temperature: 0.7, top_k: 50, top_p: 1, min_eos_p: 0.3 },
    coarse_acoustics_config: { do_sample: true, temperature: 0.7, top_k: 50, top_p: 1 },
    fine_acoustics_config: { temperature: 0.5 },
  });
  const route = (kwargs: GenerateKwargs, config = hub) =>
    routeGenerateKwargs(readGenerateArguments({ input_ids: [[1]], ...kwargs }), config);

  it("completes everything from the config, without its min_eos_p", () => {
    const sampling = { do_sample: true, temperature: 0.7, top_k: 50, top_p: 1 };
    const { semantic, coarse, fine } = route({});
    const own = { max_new_tokens: 768, min_eos_p: null, attention_mask: null, eos_token_id: [10000] };
    expect(semantic).to.deep.include({ ...sampling, ...own });
    expect(coarse).to.deep.include({ ...sampling, eos_token_id: null });
    expect(fine).to.deep.equal({ temperature: 0.5 });
    const neutral = { num_beams: 1, num_return_sequences: 1, length_penalty: 1, early_stopping: false };
    const off = { repetition_penalty: null, no_repeat_ngram_size: null, min_p: null, typical_p: null, max_time: null };
    for (const options of [semantic, coarse])
      expect(options).to.deep.include({ ...neutral, ...off, renormalize_logits: true, stopping_criteria: [] });
  });

  it("takes transformers' further keywords from the caller, else from the config, and its neutral values as off", () => {
    const config = new BarkGenerationConfig({
      semantic_config: { no_repeat_ngram_size: 3, num_beams: 2 },
      coarse_acoustics_config: { repetition_penalty: 1.5 },
    });
    expect(route({}, config).semantic).to.include({ no_repeat_ngram_size: 3, num_beams: 2 });
    expect(route({}, config).coarse).to.include({ no_repeat_ngram_size: null, repetition_penalty: 1.5 });
    const { semantic, coarse } = route(
      { no_repeat_ngram_size: 0, coarse_repetition_penalty: 1, num_beams: null },
      config,
    );
    expect(semantic).to.include({ no_repeat_ngram_size: null, num_beams: 1 });
    expect(coarse.repetition_penalty).to.equal(null);
    const sampled = { do_sample: true, typical_p: 1, epsilon_cutoff: 0, eta_cutoff: 0.1, min_p: 0.2, top_h: 0.5 };
    expect(route(sampled).coarse).to.include({
      typical_p: null,
      epsilon_cutoff: null,
      eta_cutoff: 0.1,
      min_p: 0.2,
      top_h: 0.5,
    });
    expect(route({ ...sampled, do_sample: false }).coarse).to.include({ eta_cutoff: null, min_p: null, top_h: null });
    expect(route({ semantic_eos_token_id: [4, 5], coarse_eos_token_id: 6 })).to.deep.nested.include({
      "semantic.eos_token_id": [4, 5],
      "coarse.eos_token_id": [6],
    });
    expect(route({ semantic_suppress_tokens: [1] }).semantic.suppress_tokens).to.equal(null);
    expect(route({ coarse_suppress_tokens: [1] }).coarse.suppress_tokens).to.deep.equal([1]);
  });

  it("counts the tokens of semantic as transformers does where max_new_tokens is null", () => {
    const none = { semantic_max_new_tokens: null };
    expect(route(none).semantic.max_new_tokens).to.equal(20);
    expect(route({ ...none, max_length: 300 }).semantic.max_new_tokens).to.equal(300 - 257);
    expect(route({ max_length: 300 }).semantic.max_new_tokens).to.equal(768);
    expect(() => route({ ...none, max_length: 257 })).to.throw(
      "semantic_max_length: is not above the length of the input",
    );
  });

  it("refuses what transformers refuses", () => {
    for (const [kwargs, line] of [
      [{ coarse_num_return_sequences: 2, coarse_num_beams: 2 }, /^coarse_num_return_sequences: .* one sequence a row/],
      [{ semantic_num_return_sequences: 2, do_sample: false }, /^semantic_num_return_sequences: greedy search/],
      [{ semantic_num_return_sequences: 3, semantic_num_beams: 2 }, /^semantic_num_return_sequences: 3 .* 2 beams/],
      [{ exponential_decay_length_penalty: [1, 2] }, /^coarse_exponential_decay_length_penalty: needs an end/],
      [{ semantic_forced_eos_token_id: [3, 4], semantic_suppress_tokens: [4, 3] }, /^semantic_forced_eos_token_id: /],
    ] as const)
      expect(() => route(kwargs), JSON.stringify(kwargs)).to.throw(line);
    expect(() => route({ semantic_exponential_decay_length_penalty: [1, 2] })).to.not.throw();
  });

  it("uses a config's min_eos_p when the semantic stage runs alone", () => {
    expect(resolveSemantic({}, hub.semantic_config).min_eos_p).to.equal(0.3);
    expect(resolveSemantic({ min_eos_p: null }, hub.semantic_config).min_eos_p).to.equal(null);
    expect(resolveSemantic({ min_eos_p: 0 }, hub.semantic_config).min_eos_p).to.equal(null);
  });

  it("gives a key without prefix to all stages and lets a prefix win, in any order", () => {
    for (const kwargs of [
      { temperature: 0.9, coarse_temperature: 0.2 },
      { coarse_temperature: 0.2, temperature: 0.9 },
    ]) {
      const { semantic, coarse, fine } = route(kwargs);
      expect([semantic.temperature, coarse.temperature, fine.temperature]).to.deep.equal([0.9, 0.2, 0.9]);
    }
  });

  it("gives attention_mask and min_eos_p to the semantic stage alone", () => {
    const attention_mask = [[1, 0]];
    const { semantic, coarse } = route({ attention_mask, min_eos_p: 0.1 });
    expect(semantic.attention_mask?.tolist()).to.deep.equal(attention_mask);
    expect(semantic).to.include({ min_eos_p: 0.1 });
    expect(coarse).to.not.have.any.keys("attention_mask", "min_eos_p");
    expect(route({ min_eos_p: 0.1, semantic_min_eos_p: 0.4 }).semantic.min_eos_p).to.equal(0.4);
  });

  it("leaves fine sampling under do_sample: false, and makes it greedy by null or 1", () => {
    const greedy = { do_sample: false, temperature: 1, top_k: 0, top_p: 1 };
    const { semantic, coarse, fine } = route({ do_sample: false });
    expect(semantic).to.include(greedy);
    expect(coarse).to.include(greedy);
    expect(fine.temperature).to.equal(0.5);
    expect(route({ fine_temperature: null }).fine.temperature).to.equal(null);
    expect(route({ fine_temperature: 1 }).fine.temperature).to.equal(null);
    expect(route({ do_sample: false, temperature: null }).fine.temperature).to.equal(null);
  });

  it("takes top_p and a min_eos_p from 0 on, and does not sample where nothing says so", () => {
    for (const top_p of [0, 0.5, 1]) expect(route({ top_p }).coarse.top_p).to.equal(top_p);
    expect(route({ top_p: null }).coarse.top_p).to.equal(1);
    expect(route({ min_eos_p: 0 }).semantic.min_eos_p).to.equal(null);
    const config = new BarkGenerationConfig();
    config.coarse_acoustics_config.do_sample = null as never;
    expect(route({}, config).coarse.do_sample).to.equal(false);
  });

  it("samples from the best 50 unless top_k is given", () => {
    const config = new BarkGenerationConfig({ semantic_config: { do_sample: true, top_k: null } });
    expect(route({}, config).semantic.top_k).to.equal(50);
    expect(route({ top_k: 0 }, config).semantic.top_k).to.equal(0);
    expect(route({ top_k: null }, config).semantic.top_k).to.equal(0);
    expect(route({ semantic_top_k: 7 }, config).semantic.top_k).to.equal(7);
    expect(route({ top_k: undefined }, config).semantic.top_k).to.equal(50);
  });

  it("takes the length of semantic alone", () => {
    expect(route({ semantic_max_new_tokens: 20 }).semantic.max_new_tokens).to.equal(20);
    const line = /^(coarse_)?max_new_tokens: 20 is not supported; the coarse stage sets it .*semantic_max_new_tokens$/;
    expect(() => route({ max_new_tokens: 20 } as GenerateKwargs)).to.throw(line);
    expect(() => route({ coarse_max_new_tokens: 20 })).to.throw(line);
  });

  it("refuses unknown keywords and wrong values, blaming whoever gave them", () => {
    const fault = (kwargs: object, config = hub): string => {
      try {
        route(kwargs, config);
      } catch (error) {
        if (error instanceof EngineError) return `${error.code} ${error.toLine()}`;
      }
      return "no error";
    };
    expect(fault({ temprature: 0.5 })).to.match(/^usage temprature: .*did you mean "temperature"\?/);
    expect(fault({ semantic_temperature: 0 })).to.match(/^usage semantic_temperature: .*above 0.*got 0/);
    expect(fault({ fine_temperature: 0 })).to.match(/^usage fine_temperature: no token can be drawn/);
    expect(fault({ fine_temperature: -1 })).to.match(/^usage fine_temperature: .*a number ≥ 0, got -1/);
    expect(fault({ top_p: -0.5 })).to.match(/^usage top_p: /);
    expect(fault({ top_k: 1.5 })).to.match(/^usage top_k: /);
    expect(fault({ top_p: 1.5 })).to.match(/^usage top_p: /);
    expect(fault({ min_eos_p: -0.5 })).to.match(/^usage min_eos_p: /);
    expect(fault({ semantic_max_new_tokens: 0 })).to.match(/^usage semantic_max_new_tokens: /);
    expect(fault({ do_sample: "no" })).to.match(/^usage do_sample: /);
    const broken = new BarkGenerationConfig({ coarse_acoustics_config: { do_sample: true, temperature: -2 } });
    expect(fault({}, broken)).to.match(/^bad-input generation config, coarse stage: .*temperature.*got -2/);
    expect(fault({ temperature: 0.5 }, broken)).to.equal("no error");
    const cold = new BarkGenerationConfig({ coarse_acoustics_config: { do_sample: true, temperature: 0 } });
    expect(fault({}, cold)).to.match(/^bad-input generation config, coarse stage: no token can be drawn.*got 0/);
    for (const [part, field, says] of [
      ["semantic_config", "max_new_tokens", /^bad-input generation config, semantic stage: .*max_new_tokens/],
      ["fine_acoustics_config", "temperature", /^bad-input generation config, fine stage: .*temperature/],
    ] as const) {
      const config = new BarkGenerationConfig();
      (config[part] as unknown as Record<string, unknown>)[field] = "x";
      expect(fault({}, config)).to.match(says);
    }
    const alone = new BarkSemanticGenerationConfig({ min_eos_p: -1 });
    expect(() => resolveSemantic({}, alone)).to.throw("generation config, semantic stage: wrong value of min_eos_p");
    const unused = new BarkGenerationConfig({ semantic_config: { do_sample: false, temperature: 0 } });
    expect(fault({}, unused)).to.equal("no error");
  });
});
