import type { ByteSource } from "../sources/byte_source.ts";
import type { FileStore } from "../stores/file_store.ts";
import { Memo } from "../../engine/memo.ts";
import { MemorySource } from "../sources/memory.ts";

/** The files of Hugging Face layout that a folder of suno's lacks. */
const madeNames = ["config.json", "generation_config.json", "tokenizer_config.json"];

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
    if (found !== undefined || !madeNames.includes(path)) return found;
    const made = await this.#made.get("files", () => makeFiles(this.#store));
    const bytes = made?.get(path);
    return bytes && new MemorySource(`${this.name}/${path}`, bytes);
  }
}

async function makeFiles(store: FileStore): Promise<ReadonlyMap<string, Uint8Array> | undefined> {
  const config = await store.open("config.json");
  await config?.close();
  if (config !== undefined) return undefined;
  // Loaded here: few checkpoints are suno's, and a page fetches code for nothing.
  const { makeHuggingFaceFiles } = await import("./hugging_face_files.ts");
  return await makeHuggingFaceFiles(store);
}
