import type { ByteSource } from "../sources/byte_source.ts";
import type { FileStore } from "../stores/file_store.ts";
import { Memo } from "../../engine/memo.ts";
import { MemorySource } from "../sources/memory.ts";
import { SunoCheckpoint } from "./checkpoint.ts";
import { sunoConfig, sunoGenerationConfig, sunoTokenizerConfig } from "./config.ts";
import { pythonJson } from "./python_json.ts";

/** The files of Hugging Face's layout that suno's folder lacks, with their content. */
const makers: Readonly<Record<string, (checkpoint: SunoCheckpoint) => unknown>> = {
  "config.json": sunoConfig,
  "generation_config.json": () => sunoGenerationConfig,
  "tokenizer_config.json": () => sunoTokenizerConfig,
};

/**
 * A checkpoint seen in Hugging Face's layout: if it has suno's `.pt` files and no `config.json`, the missing JSON files are
 * made from them. Any other checkpoint stays as it is.
 */
export class HuggingFaceView implements FileStore {
  readonly #store: FileStore;
  readonly #made = new Memo<string, ReadonlyMap<string, Uint8Array> | undefined>();

  constructor(store: FileStore) {
    this.#store = store;
  }

  get name(): string {
    return this.#store.name;
  }

  async list(): Promise<readonly string[]> {
    return (await this.#store.list?.()) ?? [];
  }

  /** @throws EngineError `bad-input`, also if suno's files are damaged. */
  async open(path: string): Promise<ByteSource | undefined> {
    const found = await this.#store.open(path);
    if (found !== undefined || !Object.hasOwn(makers, path)) return found;
    const made = await this.#made.get("files", () => makeFiles(this.#store));
    const bytes = made?.get(path);
    return bytes && new MemorySource(`${this.name}/${path}`, bytes);
  }
}

async function makeFiles(store: FileStore): Promise<ReadonlyMap<string, Uint8Array> | undefined> {
  const config = await store.open("config.json");
  await config?.close();
  const checkpoint = config === undefined ? await SunoCheckpoint.open(store) : undefined;
  if (checkpoint === undefined) return undefined;
  try {
    const encoder = new TextEncoder();
    return new Map(Object.entries(makers).map(([name, make]) => [name, encoder.encode(pythonJson(make(checkpoint)))]));
  } finally {
    await checkpoint.close();
  }
}
