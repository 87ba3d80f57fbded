import { isObject, type JsonObject } from "../../engine/check/json_fields.ts";
import { EngineError } from "../../engine/errors.ts";
import { readJsonFile } from "../../checkpoint/json_file.ts";
import type { FileStore } from "../../checkpoint/stores/file_store.ts";
import { readCheckpointOptions } from "../load/load_arguments.ts";
import { openCheckpoint, type CheckpointSource } from "../load/open_checkpoint.ts";
import type { CheckpointOptions } from "../load/load_options.ts";

const fileName = "config.json";

/** The parsed `config.json` of a checkpoint. @throws EngineError `bad-input` if there is none. */
export async function readConfig(store: FileStore): Promise<JsonObject> {
  const value = await readJsonFile(store, fileName);
  if (isObject(value)) return value;
  throw new EngineError(
    "bad-input",
    value === undefined ? "the checkpoint has no config.json" : "is not a JSON object",
    {
      where: value === undefined ? store.name : `${store.name}/${fileName}`,
      fix: "give the folder of a Bark checkpoint in Hugging Face layout, or make one with `bark convert`",
    },
  );
}

/** The config of a part, out of a checkpoint of that part alone or of a whole Bark, and where it stands. */
export async function readPart(
  source: CheckpointSource,
  options: CheckpointOptions,
  part: string,
): Promise<[JsonObject, string]> {
  const store = await openCheckpoint(source, readCheckpointOptions(options));
  const config = await readConfig(store);
  const where = `${store.name}/${fileName}`;
  if (config["model_type"] !== "bark") return [config, where];
  return [(config[part] ?? {}) as JsonObject, `${where}: ${part}`];
}
