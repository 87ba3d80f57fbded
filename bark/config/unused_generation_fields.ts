import type { JsonObject } from "../../engine/check/json_fields.ts";

type Test = (value: unknown, config: JsonObject) => boolean;

const isGiven: Test = (value) => value !== null && value !== undefined;
const isList: Test = (value) => Array.isArray(value) && value.length > 0;
const isAbove =
  (limit: number): Test =>
  (value) =>
    typeof value === "number" && value > limit;
const isNot =
  (neutral: number): Test =>
  (value) =>
    isGiven(value, {}) && value !== neutral;
const isCutoff: Test = (value) => typeof value === "number" && value > 0 && value < 1;
const whereSampling =
  (test: Test): Test =>
  (value, config) =>
    config["do_sample"] === true && test(value, config);

/** Fields of a causal stage that change transformers' answer, and the values at which they do. */
const shared: Readonly<Record<string, Test>> = {
  num_beams: isAbove(1),
  num_beam_groups: isAbove(1),
  num_return_sequences: isAbove(1),
  penalty_alpha: isAbove(0),
  repetition_penalty: isNot(1),
  encoder_repetition_penalty: isNot(1),
  no_repeat_ngram_size: isAbove(0),
  encoder_no_repeat_ngram_size: isAbove(0),
  guidance_scale: isNot(1),
  bad_words_ids: isList,
  force_words_ids: isList,
  suppress_tokens: isList,
  begin_suppress_tokens: isList,
  sequence_bias: isGiven,
  forced_bos_token_id: isGiven,
  forced_eos_token_id: isGiven,
  watermarking_config: isGiven,
  max_time: isGiven,
  stop_strings: isGiven,
  dola_layers: isGiven,
  constraints: isGiven,
  min_p: whereSampling(isAbove(0)),
  top_h: whereSampling(isGiven),
  typical_p: whereSampling(isCutoff),
  epsilon_cutoff: whereSampling(isCutoff),
  eta_cutoff: whereSampling(isCutoff),
};

/** By stage: only the semantic stage has an end that can be put off; the coarse stage reads none. */
const byStage: Readonly<Record<string, Readonly<Record<string, Test>>>> = {
  semantic_config: {
    ...shared,
    min_length: isAbove(0),
    min_new_tokens: isAbove(0),
    exponential_decay_length_penalty: isGiven,
    pad_token_id: (value, config) => isGiven(value, config) && value !== config["eos_token_id"],
  },
  coarse_acoustics_config: { ...shared, eos_token_id: isGiven },
};

/**
 * Fields of a stage's generation config that change transformers' answer and that nothing here follows. The fine stage
 * and the top level have none: transformers ignores them there too.
 */
export function unusedGenerationFields(stage: string, fields: JsonObject): string[] {
  const tests = Object.hasOwn(byStage, stage) ? byStage[stage] : {};
  return Object.keys(tests).filter((name) => tests[name](fields[name], fields));
}
