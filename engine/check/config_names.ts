import { EngineError } from "../errors.ts";
import { isObject } from "./json_fields.ts";
import { didYouMean } from "./nearest_name.ts";

/** Fields that transformers writes into every config and nothing here uses. */
const baseNames = new Set(
  (
    "_attn_implementation_autoset _commit_hash _from_model_config _name_or_path add_cross_attention architectures " +
    "assistant_confidence_threshold assistant_early_exit assistant_ensemble_weight assistant_lookbehind " +
    "attn_implementation auto_map bad_words_ids begin_suppress_tokens bos_token_id cache_config cache_implementation " +
    "chunk_size_feed_forward compile_config constraints cross_attention_hidden_size decoder_start_token_id " +
    "disable_compile diversity_penalty do_sample dola_layers dtype early_stopping encoder_no_repeat_ngram_size " +
    "encoder_repetition_penalty eos_token_id epsilon_cutoff eta_cutoff exponential_decay_length_penalty " +
    "finetuning_task force_words_ids forced_bos_token_id forced_eos_token_id guidance_scale id2label is_assistant " +
    "is_decoder is_encoder_decoder label2id length_penalty low_memory max_cache_len max_length " +
    "max_matching_ngram_size max_new_tokens max_time min_length min_new_tokens min_p model_type name_or_path " +
    "no_repeat_ngram_size num_assistant_tokens num_assistant_tokens_schedule num_beam_groups num_beams num_labels " +
    "num_return_sequences output_attentions output_hidden_states output_logits output_scores pad_token_id " +
    "penalty_alpha prefill_chunk_size prefix problem_type prompt_lookup_num_tokens pruned_heads quantization_config " +
    "remove_invalid_values renormalize_logits repetition_penalty return_dict return_dict_in_generate sep_token_id " +
    "sequence_bias stop_strings suppress_tokens target_lookbehind task_specific_params temperature " +
    "tf_legacy_loss tie_encoder_decoder tie_word_embeddings token_healing tokenizer_class top_h top_k top_p torch_dtype " +
    "torchscript transformers_version typical_p use_bfloat16 use_cache use_mtp watermarking_config"
  ).split(" "),
);

/**
 * For a config made in code. A file may hold more than is read, but a misspelt name in code would be lost in silence.
 * @param config the finished config, whose fields are the known names. @param aliases other names of them.
 * @throws EngineError `usage` naming the unknown name, and the nearest known one.
 */
export function refuseUnknownNames(fields: object, config: object, aliases: readonly string[] = []): void {
  const known = [...Object.keys(config), ...aliases];
  const unknown = Object.keys(fields).find((name) => !known.includes(name) && !baseNames.has(name));
  if (unknown === undefined) return;
  const fix = didYouMean(unknown, known);
  throw new EngineError("usage", `is not a field of ${config.constructor.name}`, {
    where: unknown,
    ...(fix === undefined ? {} : { fix }),
  });
}

/**
 * For the config of a model, which keeps names that it does not know, as transformers does.
 * @throws EngineError `usage` for a name that is nearly a known one.
 */
export function refuseMisspelt(name: string, known: readonly string[], config: string): void {
  const fix = baseNames.has(name) ? undefined : didYouMean(name, known);
  if (fix !== undefined) throw new EngineError("usage", `is not a field of ${config}`, { where: name, fix });
}

/**
 * A part of a config: an instance of its class as it is, or made from its fields; with defaults where it is absent.
 * @param where of the whole config, if it is a file's.
 * @throws EngineError `usage` for a config of another class, `bad-input` for wrong fields.
 */
export function partOf<T extends object>(
  part: unknown,
  Part: new (fields?: never, where?: string) => T,
  name: string,
  where: string | undefined,
): T {
  if (part instanceof Part) return part;
  if (isObject(part) && !isPlain(part))
    throw new EngineError("usage", "is of another class", {
      where: name,
      expected: `a ${Part.name} or its fields`,
      actual: `a ${part.constructor.name}`,
    });
  return new Part((part ?? {}) as never, where === undefined ? undefined : `${where}: ${name}`);
}

/** @throws EngineError `usage` where a config is given in place of a config's fields, as in Python by position. */
export function requireFields(fields: unknown, where: unknown, config: { readonly name: string }, usage: string): void {
  if ((!isObject(fields) || isPlain(fields)) && (where === undefined || typeof where === "string")) return;
  throw new EngineError("usage", "takes its parts by name", { where: config.name, fix: usage });
}

/** @throws EngineError `usage` for the first of the parts that is missing. */
export function requireParts<T extends object>(parts: T): T {
  const missing = Object.entries(parts).find(([, part]) => !isObject(part));
  if (missing === undefined) return parts;
  throw new EngineError("usage", "is missing", { where: missing[0], expected: "a config", actual: missing[1] });
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
