import type { PreTrainedConfig } from "../../engine/check/pretrained_config.ts";

/** Writes `config.json` into a folder, which is made if it is missing. @throws EngineError `io`; `usage` in a page. */
export async function saveConfig(config: PreTrainedConfig, save_directory: string, options: object): Promise<void> {
  // Loaded here: a page, which cannot save, fetches code for nothing.
  const { SaveFolder } = await import("../load/save_folder.ts");
  const folder = await SaveFolder.create(save_directory, options);
  await folder.write("config.json", new TextEncoder().encode(config.to_json_string()));
}
