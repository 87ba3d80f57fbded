import { EncodecConfig as EncodecFields } from "../../encodec/config.ts";
import { JsonFields, type JsonObject } from "../../engine/check/json_fields.ts";
import type { CheckpointSource } from "../load/open_checkpoint.ts";
import type { CheckpointOptions } from "../load/load_options.ts";
import { readPart } from "./read_config.ts";
import { saveConfig } from "./save_config.ts";

/** The codec's configuration, which also knows checkpoints. */
export class EncodecConfig extends EncodecFields {
  static override from_dict(fields: JsonObject, where = "config.json"): EncodecConfig {
    return new EncodecConfig(fields, where);
  }

  /** From a checkpoint of the codec alone or of a whole Bark. */
  static async from_pretrained(source: CheckpointSource, options: CheckpointOptions = {}): Promise<EncodecConfig> {
    const [fields, where] = await readPart(source, options, "codec_config");
    new JsonFields(fields, where).string("model_type", "encodec", ["encodec"]);
    return new EncodecConfig(fields, where);
  }

  /** Writes `config.json` into a folder, which is made if it is missing. @throws EngineError `io`. */
  async save_pretrained(save_directory: string, options: object = {}): Promise<void> {
    await saveConfig(this, save_directory, options);
  }
}
