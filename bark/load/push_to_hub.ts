import {
  argumentsOf,
  noneOr,
  readBoolean,
  readSignal,
  readString,
  type ReadersOf,
} from "../../engine/check/arguments.ts";
import { EngineError } from "../../engine/errors.ts";
import { getFileHost } from "../../checkpoint/host.ts";
import { readToken } from "./load_arguments.ts";
import { unsupportedSaving } from "./save_folder.ts";

/** How files get to a repository on the hub; names as in transformers. */
export interface PushToHubOptions {
  /** Default: "Upload model" or "Upload processor". */
  commit_message?: string | null;
  commit_description?: string | null;
  /** Of a repository that is made for it. Default: as the organization has it, for users public. */
  private?: boolean | null;
  /** With the right to write. Default, and true: HF_TOKEN, or what `hf auth login` left. */
  token?: string | boolean | null;
  /** The branch, which is made if it is missing. Default: `main`. */
  revision?: string | null;
  /** A pull request in place of a commit. Default: false. */
  create_pr?: boolean | null;
  /** Address of the hub. Default: HF_ENDPOINT, or https://huggingface.co. */
  endpoint?: string | null;
  /** Stops before the next request. */
  signal?: AbortSignal | null;
}

/** What a `save_pretrained` takes to push what it has saved. */
export interface SavePushOptions extends PushToHubOptions {
  /** Default false: nothing is sent. */
  push_to_hub?: boolean | null;
  /** `owner/name`, or a name of the user's. Default: the name of the folder. */
  repo_id?: string | null;
}

const pushReaders = {
  commit_message: noneOr(readString),
  commit_description: noneOr(readString),
  private: noneOr(readBoolean),
  token: readToken,
  revision: noneOr(readString),
  create_pr: noneOr(readBoolean),
  endpoint: noneOr(readString),
  signal: readSignal,
} satisfies ReadersOf<PushToHubOptions>;

const readPushOptions = argumentsOf("push_to_hub", pushReaders, {
  unsupported: {
    max_shard_size: unsupportedSaving["max_shard_size"],
    tags: [[null], "write the README.md of the repository on the hub"],
    use_temp_dir: [[true, null]],
  },
});

/**
 * Saves into a temporary folder and uploads that. @returns the address of the commit.
 * @throws EngineError `usage` in a page and without token or library, `bad-input` if the hub refuses, `io`.
 */
export async function pushToHub(
  repo_id: string,
  given: PushToHubOptions,
  what: "model" | "processor",
  save: (folder: string) => Promise<void>,
): Promise<string> {
  return await push(readString(repo_id, "repo_id"), readPushOptions(given), what, save);
}

/** A `save_pretrained`; with `push_to_hub` it uploads the files that it wrote. @throws EngineError as {@link pushToHub}. */
export async function savePretrained(
  save_directory: string,
  given: object,
  what: "model" | "processor",
  save: (folder: string, options: object) => Promise<void>,
): Promise<void> {
  const { push_to_hub, ...options } = (given ?? {}) as SavePushOptions;
  if (push_to_hub !== true) return await save(save_directory, given);
  const folder = readString(save_directory, "save_directory");
  const { repo_id, ...others } = options;
  const isOfPush = (name: string): boolean => Object.hasOwn(pushReaders, name);
  const [ofPush, ofSave] = [true, false].map((wanted) =>
    Object.fromEntries(Object.entries(others).filter(([name]) => isOfPush(name) === wanted)),
  );
  const name = folder
    .replace(/[/\\]+$/, "")
    .split(/[/\\]/)
    .at(-1)!;
  const id = noneOr(readString)(repo_id ?? null, "repo_id") ?? name;
  await push(id, readPushOptions(ofPush), what, (at) => save(at, ofSave), folder);
}

async function push(
  repo_id: string,
  { commit_message, commit_description, create_pr, ...rest }: ReturnType<typeof readPushOptions>,
  what: "model" | "processor",
  save: (folder: string) => Promise<void>,
  folder?: string,
): Promise<string> {
  const host = getFileHost();
  if (host.push === undefined)
    throw new EngineError("usage", "a browser page cannot write files", {
      where: "push_to_hub",
      fix: "push the checkpoint in Node",
    });
  return await host.push(save, {
    ...rest,
    repo: repo_id,
    folder,
    commitMessage: commit_message ?? `Upload ${what}`,
    commitDescription: commit_description,
    createPr: create_pr,
  });
}
