import type { FileStore } from "../stores/file_store.ts";
import { SunoCheckpoint } from "./checkpoint.ts";
import { sunoConfig, sunoGenerationConfig, sunoTokenizerConfig } from "./config.ts";
import { pythonJson } from "./python_json.ts";

const makers: Readonly<Record<string, (checkpoint: SunoCheckpoint) => unknown>> = {
  "config.json": sunoConfig,
  "generation_config.json": () => sunoGenerationConfig,
  "tokenizer_config.json": () => sunoTokenizerConfig,
};

/**
 * The JSON files of Hugging Face layout, by name, as suno's `.pt` files imply them; undefined for a store without those.
 * @throws EngineError `bad-input` if they are damaged.
 */
export async function makeHuggingFaceFiles(store: FileStore): Promise<ReadonlyMap<string, Uint8Array> | undefined> {
  const checkpoint = await SunoCheckpoint.open(store);
  if (checkpoint === undefined) return undefined;
  try {
    const encoder = new TextEncoder();
    return new Map(Object.entries(makers).map(([name, make]) => [name, encoder.encode(pythonJson(make(checkpoint)))]));
  } finally {
    await checkpoint.close();
  }
}
