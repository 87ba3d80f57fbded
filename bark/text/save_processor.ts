import { writeNpyInt64 } from "../../checkpoint/numpy/npy.ts";
import { argumentsOf, readString, type ReadersOf } from "../../engine/check/arguments.ts";
import { EngineError } from "../../engine/errors.ts";
import { relativePath } from "../../checkpoint/relative_path.ts";
import { SaveFolder, unsupportedSaving } from "../load/save_folder.ts";
import type { SavePushOptions } from "../load/push_to_hub.ts";
import type { VoicePresets } from "../voice/voices.ts";
import type { BarkTokenizer } from "./tokenizer.ts";

export interface SaveProcessorOptions extends SavePushOptions {
  /** Name of the index of the presets. Default `speaker_embeddings_path.json`. */
  speaker_embeddings_dict_path?: string;
  /** Folder of the presets within the one that is saved to. Default `speaker_embeddings`. */
  speaker_embeddings_directory?: string;
}

const readOptions = argumentsOf(
  "save_pretrained",
  {
    speaker_embeddings_dict_path: readString,
    speaker_embeddings_directory: readString,
  } satisfies ReadersOf<Omit<SaveProcessorOptions, keyof SavePushOptions>>,
  { unsupported: unsupportedSaving },
);

/** Saves a processor in the layout of transformers: tokenizer files as they are, presets as `.npy` of int64, their index. */
export async function saveProcessor(
  tokenizer: BarkTokenizer,
  voices: VoicePresets,
  directory: string,
  given: SaveProcessorOptions,
): Promise<void> {
  const options = readOptions(given);
  const folder = await SaveFolder.create(directory);
  await tokenizer.saveTo(folder);
  if (voices.names.length > 0) await savePresets(voices, folder, options);
}

async function savePresets(
  voices: VoicePresets,
  folder: SaveFolder,
  {
    speaker_embeddings_dict_path: indexName = "speaker_embeddings_path.json",
    speaker_embeddings_directory: directory = "speaker_embeddings",
  }: SaveProcessorOptions,
): Promise<void> {
  const index: Record<string, unknown> = { repo_or_path: folder.path };
  for (const name of voices.names) {
    // The name comes out of a file and becomes a path.
    const file = relativePath(name);
    if (file === undefined)
      throw new EngineError("bad-input", `Invalid voice preset path: '${name}'`, { where: indexName });
    const paths: Record<string, string> = {};
    for (const [key, prompt] of Object.entries(await voices.load(name))) {
      paths[key] = `${directory}/${file}_${key}.npy`;
      await folder.write(paths[key], writeNpyInt64(prompt));
    }
    index[name] = paths;
  }
  await folder.writeJson(indexName, index);
}
