import { EngineError } from "../errors.ts";
import { refuseMisspelt } from "./config_names.ts";
import { configJson } from "./config_json.ts";
import { isObject, JsonFields, type JsonObject } from "./json_fields.ts";

export type Labels = Readonly<Record<string, string | number>>;

/** Two labels, which transformers gives to every config that has none of its own. */
const labels = (count: number): { id2label: Labels; label2id: Labels } => {
  const names = Array.from({ length: count }, (_, i) => `LABEL_${i}`);
  return {
    id2label: Object.fromEntries(names.entries()),
    label2id: Object.fromEntries(names.map((name, i) => [name, i])),
  };
};

/** What transformers leaves out of a saved config where it has this value. */
const defaults: JsonObject = {
  architectures: null,
  output_hidden_states: false,
  output_attentions: false,
  return_dict: true,
  dtype: null,
  chunk_size_feed_forward: 0,
  is_encoder_decoder: false,
  ...labels(2),
  problem_type: null,
  _name_or_path: "",
};

/**
 * What transformers takes and drops: other names of fields, traces of the process that saved the config, and parameters of
 * generation, which have a config of their own.
 */
const dropped = new Set(
  (
    "model_type torch_dtype name_or_path num_labels attn_implementation experts_implementation transformers_version " +
    "_commit_hash _attn_implementation_internal _experts_implementation_internal _attn_implementation_autoset " +
    "max_length min_length do_sample use_cache early_stopping num_beams temperature top_k top_p typical_p " +
    "repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size bad_words_ids " +
    "num_return_sequences output_scores return_dict_in_generate forced_bos_token_id forced_eos_token_id " +
    "remove_invalid_values exponential_decay_length_penalty suppress_tokens begin_suppress_tokens epsilon_cutoff " +
    "eta_cutoff encoder_repetition_penalty num_assistant_tokens num_assistant_tokens_schedule " +
    "assistant_confidence_threshold assistant_lookbehind target_lookbehind num_beam_groups diversity_penalty"
  ).split(" "),
);

/** What all configs of models have in common; fields and defaults of transformers' `PreTrainedConfig`. */
export class PreTrainedConfig {
  /** Classes that the weights were saved from. */
  readonly architectures: readonly string[] | null;
  /** What `forward` answers where its keyword is not given. */
  readonly output_hidden_states: boolean;
  readonly output_attentions: boolean;
  readonly return_dict: boolean;
  /** Of the weights, by torch's name, such as `float16`; a new model gets it. */
  readonly dtype: string | null;
  readonly chunk_size_feed_forward: number;
  readonly is_encoder_decoder: boolean;
  readonly id2label: Labels;
  readonly label2id: Labels | null;
  readonly problem_type: string | null;
  readonly _name_or_path: string;

  /** @throws EngineError `bad-input` naming `where` and the field. */
  constructor(fields: JsonObject, where: string) {
    const json = new JsonFields(fields, where);
    const flag = (name: "output_hidden_states" | "output_attentions" | "return_dict"): boolean =>
      json.kept(name, defaults[name] as boolean);
    this.architectures = (json.raw("architectures") ?? null) as readonly string[] | null;
    this.output_hidden_states = flag("output_hidden_states");
    this.output_attentions = flag("output_attentions");
    this.return_dict = flag("return_dict");
    const dtype = json.raw("dtype") ?? json.raw("torch_dtype") ?? null;
    this.dtype = dtype === null || typeof dtype === "string" ? dtype : json.fail("dtype", 'a name, such as "float16"');
    this.chunk_size_feed_forward = json.integer("chunk_size_feed_forward", 0);
    this.is_encoder_decoder = json.kept("is_encoder_decoder", false);
    const made = labels(json.integer("num_labels", 2));
    const given = json.raw("id2label") ?? null;
    if (given !== null && !isObject(given)) json.fail("id2label", "an object");
    this.id2label = given === null ? made.id2label : (given as Labels);
    this.label2id = given === null ? made.label2id : ((json.raw("label2id") ?? null) as Labels | null);
    this.problem_type = (json.raw("problem_type") ?? null) as string | null;
    const name = json.raw("_name_or_path") ?? json.raw("name_or_path") ?? "";
    this._name_or_path = typeof name === "string" ? name : json.fail("_name_or_path", "a string");
  }

  get num_labels(): number {
    return Object.keys(this.id2label).length;
  }

  /**
   * Keeps what is no field of this class as a property of its own, which is saved, too; for the end of a constructor.
   * @param where the file that they come from; in code a name that is nearly a field's is refused: it would be lost in silence.
   * @param aliases of fields.
   * @throws EngineError `usage` for such a name; that or `bad-input` for one that a config has for something else.
   */
  protected keepRest(fields: JsonObject, where: string | undefined, aliases: readonly string[] = []): void {
    const known = [...Object.keys(this), ...aliases];
    const rest = Object.entries(fields).filter(
      ([name, value]) => value !== undefined && !known.includes(name) && !dropped.has(name),
    );
    for (const [name, value] of rest) {
      if (where === undefined) refuseMisspelt(name, known, this.constructor.name);
      if (name in this)
        throw new EngineError(
          where === undefined ? "usage" : "bad-input",
          `${name} is no field of ${this.constructor.name}, which has something else of that name`,
          { where: where ?? this.constructor.name, fix: "give it another name" },
        );
      Object.assign(this, { [name]: value });
    }
  }

  /** All fields, as transformers' `to_dict` gives them, but for the version of transformers. */
  to_dict(): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(this).map(([name, value]) => [name, value instanceof PreTrainedConfig ? value.to_dict() : value]),
    );
  }

  /** Without what every config has: what is saved. */
  to_diff_dict(): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(this)
        .filter(([name, value]) => !Object.hasOwn(defaults, name) || !isSame(value, defaults[name]))
        .filter(([name]) => name !== "_name_or_path")
        .map(([name, value]) => [name, value instanceof PreTrainedConfig ? value.to_diff_dict() : value]),
    );
  }

  /** JSON as transformers writes it. @param use_diff leave out what every config has. */
  to_json_string(use_diff = true): string {
    return configJson(use_diff ? this.to_diff_dict() : this.to_dict(), { sorted: true });
  }
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
