import type { JsonObject } from "../../engine/check/json_fields.ts";

type Test = (value: unknown) => boolean;

const isGiven: Test = (value) => value !== null && value !== undefined;
const isTrue: Test = (value) => value === true;
const isAbove =
  (limit: number): Test =>
  (value) =>
    typeof value === "number" && value > limit;

/** Fields of a causal stage that nothing here follows, and the values at which transformers' answer is another. */
const tests: Readonly<Record<string, Test>> = {
  num_beam_groups: isAbove(1),
  penalty_alpha: isAbove(0),
  guidance_scale: (value) => isGiven(value) && value !== 1,
  force_words_ids: isGiven,
  constraints: isGiven,
  watermarking_config: isGiven,
  stop_strings: isGiven,
  dola_layers: isGiven,
  prompt_lookup_num_tokens: isGiven,
  token_healing: isTrue,
};

/**
 * Fields of a stage's generation config that change transformers' answer and that nothing here follows. The fine stage
 * and the top level have none: transformers ignores them there too.
 */
export function unusedGenerationFields(stage: string, fields: JsonObject): string[] {
  if (stage !== "semantic_config" && stage !== "coarse_acoustics_config") return [];
  return Object.keys(tests).filter((name) => tests[name](fields[name]));
}
