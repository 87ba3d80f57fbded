import { partOf, requireFields, requireParts } from "../../engine/check/config_names.ts";
import { isObject, JsonFields, type JsonObject } from "../../engine/check/json_fields.ts";
import { PreTrainedConfig } from "../../engine/check/pretrained_config.ts";
import { readCheckpointOptions } from "../load/load_arguments.ts";
import { openCheckpoint, type CheckpointSource } from "../load/open_checkpoint.ts";
import type { CheckpointOptions } from "../load/load_options.ts";
import { EncodecConfig } from "./encodec_config.ts";
import { readConfig, readPart } from "./read_config.ts";
import { saveConfig } from "./save_config.ts";
import { BarkSubModelConfig } from "./sub_model_config.ts";

export { EncodecConfig } from "./encodec_config.ts";
export { BarkSubModelConfig } from "./sub_model_config.ts";

const fileName = "config.json";

/** The semantic model: text ids to semantic tokens. */
export class BarkSemanticConfig extends BarkSubModelConfig {
  readonly model_type = "semantic";

  constructor(fields: JsonObject = {}, where?: string) {
    super(fields, where ?? "BarkSemanticConfig");
    this.keepRest(fields, where);
  }

  static from_dict(fields: JsonObject, where = fileName): BarkSemanticConfig {
    return new BarkSemanticConfig(fields, where);
  }

  /** From a checkpoint of the semantic model alone or of a whole Bark. */
  static async from_pretrained(source: CheckpointSource, options: CheckpointOptions = {}): Promise<BarkSemanticConfig> {
    return new BarkSemanticConfig(...(await readPart(source, options, "semantic_config")));
  }
}

/** The coarse acoustics model: semantic tokens to the first codebooks. */
export class BarkCoarseConfig extends BarkSubModelConfig {
  readonly model_type = "coarse_acoustics";

  constructor(fields: JsonObject = {}, where?: string) {
    super(fields, where ?? "BarkCoarseConfig");
    this.keepRest(fields, where);
  }

  static from_dict(fields: JsonObject, where = fileName): BarkCoarseConfig {
    return new BarkCoarseConfig(fields, where);
  }

  /** From a checkpoint of the coarse model alone or of a whole Bark. */
  static async from_pretrained(source: CheckpointSource, options: CheckpointOptions = {}): Promise<BarkCoarseConfig> {
    return new BarkCoarseConfig(...(await readPart(source, options, "coarse_acoustics_config")));
  }
}

/** The fine acoustics model: the other codebooks, one after the other. */
export class BarkFineConfig extends BarkSubModelConfig {
  readonly model_type = "fine_acoustics";
  /** Codebooks of the model. */
  readonly n_codes_total: number;
  /** Codebooks that have no head, from the first on. */
  readonly n_codes_given: number;
  /** Head i shares the matrix of the token table of its codebook. */
  readonly tie_word_embeddings: boolean;

  constructor(fields: JsonObject = {}, where?: string) {
    super(fields, where ?? "BarkFineConfig");
    const json = new JsonFields(fields, where ?? "BarkFineConfig");
    this.n_codes_total = json.integer("n_codes_total", 8, { min: 1 });
    this.n_codes_given = json.integer("n_codes_given", 1, { min: 1 });
    this.tie_word_embeddings = json.boolean("tie_word_embeddings", true);
    if (this.n_codes_given > this.n_codes_total)
      json.fail("n_codes_given", `at most n_codes_total (${this.n_codes_total})`);
    this.keepRest(fields, where);
  }

  /** Rows of each head (of a token table where they are tied). */
  get head_vocab_size(): number {
    return this.tie_word_embeddings ? this.input_vocab_size : this.output_vocab_size;
  }

  static from_dict(fields: JsonObject, where = fileName): BarkFineConfig {
    return new BarkFineConfig(fields, where);
  }

  /** From a checkpoint of the fine model alone or of a whole Bark. */
  static async from_pretrained(source: CheckpointSource, options: CheckpointOptions = {}): Promise<BarkFineConfig> {
    return new BarkFineConfig(...(await readPart(source, options, "fine_acoustics_config")));
  }
}

/** What {@link BarkConfig} is made of; each part is a config or the dictionary of one, and defaults where absent. */
export interface BarkConfigFields {
  semantic_config?: BarkSemanticConfig | JsonObject;
  coarse_acoustics_config?: BarkCoarseConfig | JsonObject;
  fine_acoustics_config?: BarkFineConfig | JsonObject;
  codec_config?: EncodecConfig | JsonObject;
  initializer_range?: number;
}

/** Configuration of a whole Bark. */
export class BarkConfig extends PreTrainedConfig {
  readonly model_type = "bark";
  readonly semantic_config: BarkSemanticConfig;
  readonly coarse_acoustics_config: BarkCoarseConfig;
  readonly fine_acoustics_config: BarkFineConfig;
  readonly codec_config: EncodecConfig;
  readonly initializer_range: number;

  /**
   * @param where the file that the fields come from; it may hold more than is read.
   * @throws EngineError `bad-input` naming `where`, the part and the field; `usage` for an unknown name in code.
   */
  constructor(fields: BarkConfigFields = {}, where?: string) {
    requireFields(
      fields,
      where,
      BarkConfig,
      "give { semantic_config, coarse_acoustics_config, … }, or call BarkConfig.from_sub_model_configs",
    );
    super(fields as JsonObject, where ?? "BarkConfig");
    const json = new JsonFields(fields, where ?? "BarkConfig");
    const part = <T extends object>(name: keyof BarkConfigFields, Part: new (fields?: never, where?: string) => T): T =>
      partOf(fields[name], Part, name, where);
    this.semantic_config = part("semantic_config", BarkSemanticConfig);
    this.coarse_acoustics_config = part("coarse_acoustics_config", BarkCoarseConfig);
    this.fine_acoustics_config = part("fine_acoustics_config", BarkFineConfig);
    // A dictionary without `model_type` (older files) is an EnCodec's.
    if (isObject(fields.codec_config))
      new JsonFields(fields.codec_config, `${json.where}: codec_config`).string("model_type", "encodec", ["encodec"]);
    this.codec_config = part("codec_config", EncodecConfig);
    this.initializer_range = json.kept("initializer_range", 0.02);
    this.keepRest(fields as JsonObject, where);
  }

  /** From a parsed `config.json`. */
  static from_dict(fields: JsonObject, where = fileName): BarkConfig {
    requireBark(fields, where);
    return new BarkConfig(fields, where);
  }

  static from_sub_model_configs(
    semantic_config: BarkSemanticConfig,
    coarse_acoustics_config: BarkCoarseConfig,
    fine_acoustics_config: BarkFineConfig,
    codec_config: EncodecConfig,
    fields: { initializer_range?: number } = {},
  ): BarkConfig {
    return new BarkConfig({
      ...fields,
      ...requireParts({ semantic_config, coarse_acoustics_config, fine_acoustics_config, codec_config }),
    });
  }

  /** Reads the `config.json` of a checkpoint. @throws EngineError `bad-input` if there is none or it is wrong. */
  static async from_pretrained(source: CheckpointSource, options: CheckpointOptions = {}): Promise<BarkConfig> {
    const store = await openCheckpoint(source, readCheckpointOptions(options));
    return BarkConfig.from_dict(await readConfig(store), `${store.name}/${fileName}`);
  }

  /** Writes `config.json` into a folder, which is made if it is missing. @throws EngineError `io`. */
  async save_pretrained(save_directory: string, options: object = {}): Promise<void> {
    await saveConfig(this, save_directory, options);
  }
}

function requireBark(fields: JsonObject, where: string): void {
  new JsonFields(fields, where).string("model_type", "bark", ["bark"]);
}
