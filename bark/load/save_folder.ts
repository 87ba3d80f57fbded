import { argumentsOf, readString, type Unsupported } from "../../engine/check/arguments.ts";
import { configJson } from "../../engine/check/config_json.ts";
import { EngineError } from "../../engine/errors.ts";
import type { FileStore } from "../../checkpoint/stores/file_store.ts";
import { getFileHost, type FileHost } from "../../checkpoint/host.ts";

type Writer = FileHost & Required<Pick<FileHost, "makeFolder" | "writeFile">>;

function writesFiles(host: FileHost): host is Writer {
  return host.makeFolder !== undefined && host.writeFile !== undefined;
}

const uploads = "give push_to_hub: true with it, to a model or a processor";

/** What transformers' `save_pretrained` takes, with the values that change nothing here. */
export const unsupportedSaving: Unsupported = {
  commit_description: [[null], uploads],
  commit_message: [[null], uploads],
  create_pr: [[false, null], uploads],
  is_main_process: [[true, null]],
  max_shard_size: [[null], "the weights are one file"],
  private: [[null], uploads],
  push_to_hub: [[false, null], "push the model or the processor"],
  repo_id: [[null], uploads],
  revision: [[null], uploads],
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
