import { EngineError } from "../../engine/errors.ts";
import {
  BarkCoarseConfig,
  BarkConfig,
  BarkFineConfig,
  BarkSemanticConfig,
  EncodecConfig,
  type BarkSubModelConfig,
} from "./config.ts";
import { readConfig } from "./read_config.ts";
import { readCheckpointOptions } from "../load/load_arguments.ts";
import { openCheckpoint, type CheckpointSource } from "../load/open_checkpoint.ts";
import type { CheckpointOptions } from "../load/load_options.ts";

const configs = {
  bark: BarkConfig,
  semantic: BarkSemanticConfig,
  coarse_acoustics: BarkCoarseConfig,
  fine_acoustics: BarkFineConfig,
  encodec: EncodecConfig,
} as const;

/** Reads a config and picks its class by the file's `model_type`. */
export const AutoConfig = {
  /** @throws EngineError `bad-input` if there is no `config.json`, or its `model_type` is neither Bark's nor its codec's. */
  async from_pretrained(
    source: CheckpointSource,
    given: CheckpointOptions = {},
  ): Promise<BarkConfig | BarkSubModelConfig | EncodecConfig> {
    const store = await openCheckpoint(source, readCheckpointOptions(given));
    const fields = await readConfig(store);
    const { model_type } = fields;
    const where = `${store.name}/config.json`;
    if (typeof model_type === "string" && Object.hasOwn(configs, model_type))
      return configs[model_type as keyof typeof configs].from_dict(fields, where);
    throw new EngineError("bad-input", "is the config of another model", {
      where,
      expected: `model_type ${Object.keys(configs).join(", ")}`,
      actual: model_type,
    });
  },
};
