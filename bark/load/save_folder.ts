import { argumentsOf, readString, type Unsupported } from "../../engine/check/arguments.ts";
import { EngineError } from "../../engine/errors.ts";
import type { FileStore } from "../../checkpoint/stores/file_store.ts";
import { getFileHost, type FileHost } from "../../checkpoint/host.ts";

type Writer = FileHost & Required<Pick<FileHost, "makeFolder" | "writeFile">>;

function writesFiles(host: FileHost): host is Writer {
  return host.makeFolder !== undefined && host.writeFile !== undefined;
}

const uploads = "upload the folder afterwards, as with `hf upload`";

/** What transformers' `save_pretrained` takes, with the values that change nothing here. */
export const unsupportedSaving: Unsupported = {
  commit_message: [[null], uploads],
  create_pr: [[false, null], uploads],
  is_main_process: [[true, null]],
  max_shard_size: [[null], "the weights are one file"],
  private: [[null], uploads],
  push_to_hub: [[false, null], uploads],
  repo_id: [[null], uploads],
  safe_serialization: [[true, null]],
  save_function: [[null]],
  save_original_format: [[true, null]],
  save_peft_format: [[true, null]],
  state_dict: [[null]],
  token: [[null], uploads],
  variant: [[null]],
};

const readNoOptions = argumentsOf("save_pretrained", {}, { unsupported: unsupportedSaving });

/** A folder that a checkpoint is saved to. */
export class SaveFolder {
  readonly path: string;
  readonly #host: Writer;

  private constructor(path: string, host: Writer) {
    this.path = path;
    this.#host = host;
  }

  /**
   * Makes the folder where it is missing, from the arguments of a `save_pretrained`.
   * @throws EngineError `usage` in a page or for an option, `io`.
   */
  static async create(save_directory: string, options: object = {}): Promise<SaveFolder> {
    const path = readString(save_directory, "save_directory");
    readNoOptions(options);
    const host = getFileHost();
    if (!writesFiles(host))
      throw new EngineError("usage", "a browser page cannot write files", {
        where: path,
        fix: "save the checkpoint in Node",
      });
    await host.makeFolder(path);
    return new SaveFolder(path, host);
  }

  /** Writes one file; a name may go through folders. It replaces an older one when it is complete. */
  async write(name: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    const slash = name.lastIndexOf("/");
    if (slash > 0) await this.#host.makeFolder(`${this.path}/${name.slice(0, slash)}`);
    await this.#host.writeFile(`${this.path}/${name}`, content);
  }

  /** Copies those of the files that a store has. */
  async copy(store: FileStore, names: readonly string[]): Promise<void> {
    for (const name of names) {
      const source = await store.open(name);
      try {
        if (source !== undefined) await this.write(name, await source.read(0, source.size));
      } finally {
        await source?.close();
      }
    }
  }

  async writeJson(name: string, value: unknown): Promise<void> {
    await this.write(name, new TextEncoder().encode(configJson(value)));
  }
}

/**
 * Fields that transformers takes for floats. It checks types strictly and refuses the whole config for a 1 in the place
 * of a 1.0, which in JavaScript are the same number.
 */
const floats = new Set([
  "dropout",
  "initializer_range",
  "target_bandwidths",
  "chunk_length_s",
  "overlap",
  "trim_right_ratio",
  "temperature",
  "top_p",
  "semantic_rate_hz",
  "min_eos_p",
]);

// A private-use character: no text of a config holds it.
const mark = "\uE000";

/** JSON as transformers writes and reads it. */
export function configJson(value: unknown): string {
  const text = JSON.stringify(value, (key, item: unknown) => (floats.has(key) ? markFloats(item) : item), 2);
  return `${text.replaceAll(new RegExp(`"${mark}(.*?)"`, "g"), "$1")}\n`;
}

function markFloats(item: unknown): unknown {
  if (Array.isArray(item)) return item.map(markFloats);
  return Number.isSafeInteger(item) ? `${mark}${item as number}.0` : item;
}
