import { mostSampleRate } from "../../encodec/config.ts";
import { partOf, refuseUnknownNames, requireFields, requireParts } from "../../engine/check/config_names.ts";
import { EngineError } from "../../engine/errors.ts";
import { isObject, JsonFields, type JsonObject } from "../../engine/check/json_fields.ts";
import { readJsonFile } from "../../checkpoint/json_file.ts";
import { readCheckpointOptions } from "../load/load_arguments.ts";
import { openCheckpoint, type CheckpointSource } from "../load/open_checkpoint.ts";
import type { CheckpointOptions } from "../load/load_options.ts";
import { unusedGenerationFields } from "./unused_generation_fields.ts";
import type { Reader } from "../../engine/check/arguments.ts";
import { fieldReaders, type CausalKwargs } from "../generate/options/keywords.ts";

const fileName = "generation_config.json";

/**
 * Reads the fields that the causal stages share. A null counts as unset; each run decides what that means (transformers:
 * top_k 50).
 */
function readSampling(json: JsonFields): {
  do_sample: boolean;
  temperature: number;
  top_k: number | null;
  top_p: number | null;
  renormalize_logits: boolean;
} {
  return {
    do_sample: json.boolean("do_sample", false),
    temperature: json.numberOrNull("temperature", 1) ?? 1,
    top_k: json.numberOrNull("top_k", null),
    top_p: json.numberOrNull("top_p", null),
    renormalize_logits: json.boolean("renormalize_logits", true),
  };
}

/**
 * The further fields of transformers' generation that the causal stages follow (`CausalKwargs`). A config has those that
 * its file or its maker gave; the defaults of the others are no part of it.
 */
export class CausalGenerationConfig {
  declare min_p?: number | null;
  declare top_h?: number | null;
  declare typical_p?: number | null;
  declare epsilon_cutoff?: number | null;
  declare eta_cutoff?: number | null;
  declare repetition_penalty?: number | null;
  declare encoder_repetition_penalty?: number | null;
  declare no_repeat_ngram_size?: number | null;
  declare encoder_no_repeat_ngram_size?: number | null;
  declare bad_words_ids?: CausalKwargs["bad_words_ids"];
  declare sequence_bias?: CausalKwargs["sequence_bias"];
  declare suppress_tokens?: readonly number[] | null;
  declare begin_suppress_tokens?: readonly number[] | null;
  declare forced_bos_token_id?: number | null;
  declare forced_eos_token_id?: number | readonly number[] | null;
  declare min_length?: number | null;
  declare min_new_tokens?: number | null;
  declare max_length?: number | null;
  declare max_time?: number | null;
  declare eos_token_id?: number | readonly number[] | null;
  declare pad_token_id?: number | null;
  declare exponential_decay_length_penalty?: CausalKwargs["exponential_decay_length_penalty"];
  declare remove_invalid_values?: boolean | null;
  declare num_beams?: number | null;
  declare num_return_sequences?: number | null;
  declare length_penalty?: number | null;
  declare early_stopping?: boolean | "never" | null;
  declare output_scores?: boolean | null;
  declare return_dict_in_generate?: boolean | null;
}

/** Keeps the fields of {@link CausalGenerationConfig} that are given. @throws EngineError `bad-input` for a wrong one. */
function keepFields(config: CausalGenerationConfig, fields: JsonObject, json: JsonFields): void {
  for (const [name, read] of Object.entries<Reader<unknown>>(fieldReaders)) {
    const value = fields[name] ?? null;
    if (value === null || Object.hasOwn(config, name)) continue;
    try {
      read(value, name);
    } catch (error) {
      json.fail(name, String((error as EngineError).expected));
    }
    Object.assign(config, { [name]: value });
  }
}

/** @throws EngineError `usage` for fields of a config that code makes, if they would be lost in silence. */
function refuseUnused(stage: PartName, fields: JsonObject, config: object): void {
  refuseUnknownNames(fields, config);
  const [unused] = unusedGenerationFields(stage, fields);
  if (unused !== undefined)
    throw new EngineError("usage", "is not followed here", { where: unused, fix: "leave it out" });
}

function withoutNulls(fields: JsonObject): JsonObject {
  return isObject(fields) ? Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) : fields;
}

/** How semantic tokens are generated from text. Fields and class defaults of transformers 4.32 and later. */
export class BarkSemanticGenerationConfig extends CausalGenerationConfig {
  readonly model_type = "semantic";
  override eos_token_id: number;
  /** Always the same as `eos_token_id`: what a file says is overwritten, as in transformers. */
  semantic_pad_token: number;
  max_new_tokens: number;
  do_sample: boolean;
  temperature: number;
  /** null: unset, which means 50. */
  top_k: number | null;
  top_p: number | null;
  /** Scores are log-probabilities after all else. */
  renormalize_logits: boolean;
  /** Added to the tokenizer's ids. */
  text_encoding_offset: number;
  /** Replaces text ids whose attention mask is 0. */
  text_pad_token: number;
  semantic_infer_token: number;
  semantic_vocab_size: number;
  /** Text slots; longer text is cut. */
  max_input_semantic_length: number;
  semantic_rate_hz: number;
  /** Forces the end of speech where its probability exceeds this. `BarkModel.generate` takes it from its caller alone. */
  min_eos_p: number | null;

  /** @throws EngineError `bad-input` naming `where` and the field. */
  constructor(fields: JsonObject = {}, where?: string) {
    super();
    const json = new JsonFields(withoutNulls(fields), where ?? "BarkSemanticGenerationConfig");
    this.eos_token_id = json.integer("eos_token_id", 10_000);
    this.semantic_pad_token = this.eos_token_id;
    this.max_new_tokens = json.integer("max_new_tokens", 768, { min: 1 });
    ({
      do_sample: this.do_sample,
      temperature: this.temperature,
      top_k: this.top_k,
      top_p: this.top_p,
      renormalize_logits: this.renormalize_logits,
    } = readSampling(json));
    this.text_encoding_offset = json.integer("text_encoding_offset", 10_048);
    this.text_pad_token = json.integer("text_pad_token", 129_595);
    this.semantic_infer_token = json.integer("semantic_infer_token", 129_599);
    this.semantic_vocab_size = json.integer("semantic_vocab_size", 10_000, { min: 1 });
    this.max_input_semantic_length = json.integer("max_input_semantic_length", 256, { min: 1 });
    this.semantic_rate_hz = json.positive("semantic_rate_hz", 49.9);
    this.min_eos_p = json.numberOrNull("min_eos_p", null);
    keepFields(this, fields, json);
    if (where === undefined) refuseUnused("semantic_config", fields, this);
  }

  static from_dict(fields: JsonObject, where = fileName): BarkSemanticGenerationConfig {
    return new BarkSemanticGenerationConfig(fields, where);
  }

  to_dict(): Record<string, unknown> {
    return Object.fromEntries(Object.entries(this));
  }
}

/** How the first codebooks are generated from semantic tokens. */
export class BarkCoarseGenerationConfig extends CausalGenerationConfig {
  readonly model_type = "coarse_acoustics";
  do_sample: boolean;
  temperature: number;
  /** null: unset, which means 50. */
  top_k: number | null;
  top_p: number | null;
  renormalize_logits: boolean;
  coarse_semantic_pad_token: number;
  /** Frames a second. */
  coarse_rate_hz: number;
  n_coarse_codebooks: number;
  coarse_infer_token: number;
  /** Semantic slots of a window. */
  max_coarse_input_length: number;
  /** Coarse tokens before the new ones in a window. */
  max_coarse_history: number;
  /** Coarse tokens generated in one window. */
  sliding_window_len: number;

  /** @throws EngineError `bad-input` naming `where` and the field. */
  constructor(fields: JsonObject = {}, where?: string) {
    super();
    const json = new JsonFields(withoutNulls(fields), where ?? "BarkCoarseGenerationConfig");
    ({
      do_sample: this.do_sample,
      temperature: this.temperature,
      top_k: this.top_k,
      top_p: this.top_p,
      renormalize_logits: this.renormalize_logits,
    } = readSampling(json));
    this.coarse_semantic_pad_token = json.integer("coarse_semantic_pad_token", 12_048);
    this.coarse_rate_hz = json.positive("coarse_rate_hz", 75);
    this.n_coarse_codebooks = json.integer("n_coarse_codebooks", 2, { min: 1 });
    this.coarse_infer_token = json.integer("coarse_infer_token", 12_050);
    this.max_coarse_input_length = json.integer("max_coarse_input_length", 256, { min: 1 });
    this.max_coarse_history = json.integer("max_coarse_history", 630);
    this.sliding_window_len = json.integer("sliding_window_len", 60, { min: 1 });
    keepFields(this, fields, json);
    if (where === undefined) refuseUnused("coarse_acoustics_config", fields, this);
  }

  static from_dict(fields: JsonObject, where = fileName): BarkCoarseGenerationConfig {
    return new BarkCoarseGenerationConfig(fields, where);
  }

  to_dict(): Record<string, unknown> {
    return Object.fromEntries(Object.entries(this));
  }
}

/** How the remaining codebooks are filled in. Only these fields are read; sampling keys have no effect on this stage. */
export class BarkFineGenerationConfig {
  readonly model_type = "fine_acoustics";
  /** null or exactly 1: argmax. */
  temperature: number | null;
  max_fine_history_length: number;
  /** Frames of a window. */
  max_fine_input_length: number;
  n_fine_codebooks: number;

  /** @throws EngineError `bad-input` naming `where` and the field. */
  constructor(fields: JsonObject = {}, where?: string) {
    const json = new JsonFields(fields, where ?? "BarkFineGenerationConfig");
    this.temperature = json.numberOrNull("temperature", 1);
    this.max_fine_history_length = json.integer("max_fine_history_length", 512, { min: 1 });
    this.max_fine_input_length = json.integer("max_fine_input_length", 1024, { min: 1 });
    this.n_fine_codebooks = json.integer("n_fine_codebooks", 8, { min: 1 });
    if (this.max_fine_history_length > this.max_fine_input_length)
      json.fail("max_fine_history_length", `at most max_fine_input_length (${this.max_fine_input_length})`);
    if (where === undefined) refuseUnknownNames(fields, this);
  }

  static from_dict(fields: JsonObject, where = fileName): BarkFineGenerationConfig {
    return new BarkFineGenerationConfig(fields, where);
  }

  to_dict(): Record<string, unknown> {
    return Object.fromEntries(Object.entries(this));
  }
}

type PartName = "semantic_config" | "coarse_acoustics_config" | "fine_acoustics_config";

export interface BarkGenerationConfigFields {
  semantic_config?: BarkSemanticGenerationConfig | JsonObject | null;
  coarse_acoustics_config?: BarkCoarseGenerationConfig | JsonObject | null;
  fine_acoustics_config?: BarkFineGenerationConfig | JsonObject | null;
  sample_rate?: number;
  codebook_size?: number;
}

/** Generation settings of a whole Bark; its fields may be changed between runs. */
export class BarkGenerationConfig {
  readonly model_type = "bark";
  semantic_config: BarkSemanticGenerationConfig;
  coarse_acoustics_config: BarkCoarseGenerationConfig;
  fine_acoustics_config: BarkFineGenerationConfig;
  /** Samples a second of the audio. */
  sample_rate: number;
  codebook_size: number;

  /** @throws EngineError `bad-input` naming `where`, the part and the field. */
  constructor(fields: BarkGenerationConfigFields = {}, where?: string) {
    requireFields(fields, where, BarkGenerationConfig, "give { semantic_config, … }, or call from_sub_model_configs");
    const json = new JsonFields(fields, where ?? "BarkGenerationConfig");
    const part = <T extends object>(name: PartName, Part: new (fields?: never, where?: string) => T): T =>
      partOf(fields[name], Part, name, where);
    this.semantic_config = part("semantic_config", BarkSemanticGenerationConfig);
    this.coarse_acoustics_config = part("coarse_acoustics_config", BarkCoarseGenerationConfig);
    this.fine_acoustics_config = part("fine_acoustics_config", BarkFineGenerationConfig);
    this.sample_rate = json.integer("sample_rate", 24_000, { min: 1, max: mostSampleRate });
    this.codebook_size = json.integer("codebook_size", 1024, { min: 1 });
    if (where === undefined) refuseUnknownNames(fields, this);
  }

  /** From a parsed `generation_config.json`: nested dictionaries. Unknown keys are ignored. */
  static from_dict(fields: JsonObject, where = fileName): BarkGenerationConfig {
    return new BarkGenerationConfig(fields, where);
  }

  static from_sub_model_configs(
    semantic_config: BarkSemanticGenerationConfig,
    coarse_acoustics_config: BarkCoarseGenerationConfig,
    fine_acoustics_config: BarkFineGenerationConfig,
    fields: { sample_rate?: number; codebook_size?: number } = {},
  ): BarkGenerationConfig {
    return new BarkGenerationConfig({
      ...fields,
      ...requireParts({ semantic_config, coarse_acoustics_config, fine_acoustics_config }),
    });
  }

  /**
   * Reads the `generation_config.json` of a checkpoint; the class defaults where it has none.
   * `onNotice` gets the fields that would change transformers' answer and are not followed here.
   */
  static async from_pretrained(
    source: CheckpointSource,
    options: CheckpointOptions = {},
  ): Promise<BarkGenerationConfig> {
    const read = readCheckpointOptions(options);
    const store = await openCheckpoint(source, read);
    const value = (await readJsonFile(store, fileName)) ?? {};
    const where = `${store.name}/${fileName}`;
    const config = new BarkGenerationConfig(value, where);
    for (const [stage, fields] of Object.entries(value)) {
      const unused = isObject(fields) ? unusedGenerationFields(stage, fields) : [];
      if (unused.length > 0)
        read.onNotice?.(
          `${where}: ${stage}: ${unused.join(", ")} changes what transformers answers and is not followed here`,
        );
    }
    return config;
  }

  /** Writes `generation_config.json` into a folder, which is made if it is missing. @throws EngineError `io`. */
  async save_pretrained(save_directory: string, options: object = {}): Promise<void> {
    const fields = this.to_dict();
    // Unset fields are left out: null means "off" to transformers 4 and "as the defaults" to 5.
    for (const part of ["semantic_config", "coarse_acoustics_config"])
      fields[part] = withoutNulls(fields[part] as JsonObject);
    // Loaded here: a page, which cannot save, fetches code for nothing.
    const { SaveFolder } = await import("../load/save_folder.ts");
    await (await SaveFolder.create(save_directory, options)).writeJson(fileName, fields);
  }

  to_dict(): Record<string, unknown> {
    return {
      model_type: this.model_type,
      semantic_config: this.semantic_config.to_dict(),
      coarse_acoustics_config: this.coarse_acoustics_config.to_dict(),
      fine_acoustics_config: this.fine_acoustics_config.to_dict(),
      sample_rate: this.sample_rate,
      codebook_size: this.codebook_size,
    };
  }
}
