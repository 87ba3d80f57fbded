import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { EngineError, withoutSecrets } from "../../../engine/errors.ts";
import { defaultEndpoint, type PushOptions } from "../../hub/options.ts";
import { parseRepository } from "../../hub/repository.ts";
import { makeFolder } from "../atomic_file.ts";
import { withEnvironment } from "./environment.ts";

type HubLibrary = typeof import("@huggingface/hub");

/** Who asks which hub for what. */
interface Target {
  readonly hub: HubLibrary;
  readonly repo: string;
  readonly accessToken: string;
  readonly hubUrl: string;
}

/**
 * Uploads the files that `save` writes into a folder, as one commit. The repository and its branch are made if they are
 * missing, before anything is saved. Large files that the hub has already are not sent again, so a push that broke off
 * goes on where it was when it is called again.
 * @returns the address of the commit.
 * @throws EngineError `usage` without token or library, `bad-input` if the hub refuses, `io`, `aborted`.
 */
export async function pushToHub(save: (folder: string) => Promise<void>, options: PushOptions): Promise<string> {
  const { revision, signal } = options;
  const target = await openTarget(options);
  await asked(target, signal, async () => {
    await makeRepository(target, options.private);
    if (revision !== undefined && !revision.startsWith("refs/pr")) await makeBranch(target, revision, options);
  });
  const folder = options.folder ?? (await mkdtemp(path.join(tmpdir(), "bark-push-")));
  try {
    await makeFolder(folder);
    const before = await filesOf(folder);
    await save(folder);
    const written = [...(await filesOf(folder))].filter(([file, state]) => before.get(file) !== state);
    return await asked(target, signal, () =>
      upload(
        target,
        folder,
        written.map(([file]) => file),
        options,
      ),
    );
  } finally {
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function openTarget({
  repo: given,
  token: ownToken,
  endpoint: ownEndpoint,
  revision,
}: PushOptions): Promise<Target> {
  const {
    token,
    endpoint = defaultEndpoint,
    localFilesOnly,
  } = withEnvironment({ token: ownToken, endpoint: ownEndpoint });
  const fail = (problem: string, fix: string): EngineError =>
    new EngineError("usage", problem, { where: "push_to_hub", fix });
  if (localFilesOnly) throw fail("nothing is sent in offline mode", "take HF_HUB_OFFLINE away");
  if (token === undefined || token === false)
    throw fail("needs an access token", "give token, or put one with the right to write into HF_TOKEN");
  if (!token.startsWith("hf_")) throw fail("needs an access token of the hub, which begins with hf_", "check HF_TOKEN");
  const hub = await loadLibrary();
  const { endpoint: hubUrl } = parseRepository("owner/name", { endpoint, revision })!;
  const anonymous = { hub, repo: given, accessToken: token, hubUrl };
  const repo = given.includes("/") ? given : `${await asked(anonymous, undefined, () => userOf(anonymous))}/${given}`;
  const parsed = parseRepository(repo, { endpoint: hubUrl });
  if (parsed?.id !== repo)
    throw new EngineError("usage", "is not the name of a repository", {
      where: "repo_id",
      expected: "owner/name, or a name of your own",
      actual: given,
    });
  return { ...anonymous, repo };
}

async function loadLibrary(): Promise<HubLibrary> {
  try {
    return await import("@huggingface/hub");
  } catch (cause) {
    throw new EngineError("usage", "the npm package @huggingface/hub cannot be loaded", {
      where: "push_to_hub",
      fix: "run: npm install @huggingface/hub",
      cause,
    });
  }
}

async function userOf({ hub, ...who }: Target): Promise<string> {
  return (await hub.whoAmI(who)).name;
}

async function makeRepository({ hub, repo, ...who }: Target, isPrivate: boolean | undefined): Promise<void> {
  const visibility =
    isPrivate === undefined ? {} : { visibility: isPrivate ? ("private" as const) : ("public" as const) };
  await hub.createRepo({ repo, ...who, ...visibility }).catch(async (error: unknown) => {
    const status = statusOf(error);
    // A token may write to a repository without the right to make one.
    if (status === 409 || (status === 403 && (await hub.repoExists({ repo, ...who })))) return;
    throw error;
  });
}

async function makeBranch({ hub, repo, ...who }: Target, branch: string, { createPr }: PushOptions): Promise<void> {
  await hub.createBranch({ repo, branch, ...who }).catch((error: unknown) => {
    const status = statusOf(error);
    // For a pull request the branch may be somebody else's.
    if (status !== 409 && !(status === 403 && createPr === true)) throw error;
  });
}

async function upload(
  { hub, repo, ...who }: Target,
  folder: string,
  files: readonly string[],
  { commitMessage, commitDescription, revision, createPr, signal }: PushOptions,
): Promise<string> {
  const answer = await hub.uploadFiles({
    repo,
    ...who,
    files: files.map((file) => ({ path: file, content: pathToFileURL(path.join(folder, file)) })),
    commitTitle: commitMessage,
    ...(commitDescription === undefined ? {} : { commitDescription }),
    ...(revision === undefined ? {} : { branch: revision }),
    ...(createPr === true ? { isPullRequest: true } : {}),
    ...(signal === undefined ? {} : { abortSignal: signal }),
  });
  return answer?.commit.url ?? `${who.hubUrl}/${repo}`;
}

/** The files below a folder, with what changes when one is written again. */
async function filesOf(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const { mtimeNs, ino, size } = await stat(file, { bigint: true });
    files.set(path.relative(folder, file).replaceAll(path.sep, "/"), `${mtimeNs} ${ino} ${size}`);
  }
  return files;
}

function statusOf(error: unknown): number | undefined {
  return (error as { statusCode?: number } | undefined)?.statusCode;
}

/** Asks the hub. @throws EngineError for what it or the network answers. */
async function asked<T>({ repo, hubUrl }: Target, signal: AbortSignal | undefined, ask: () => Promise<T>): Promise<T> {
  try {
    signal?.throwIfAborted();
    return await ask();
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    const details = { where: repo, cause };
    if (signal?.aborted) throw new EngineError("aborted", "the push was stopped", details);
    const status = statusOf(cause);
    const actual = `HTTP status ${status} from ${hubUrl}`;
    if (status === 401 || status === 403)
      throw new EngineError("bad-input", "the hub does not let this token write there", {
        ...details,
        actual,
        fix: "check the name, and that the token has the right to write",
      });
    const said = withoutSecrets((cause as Error).message);
    if (status !== undefined && status < 500)
      throw new EngineError("bad-input", `the hub refuses the push: ${said}`, { ...details, actual });
    throw new EngineError("io", `the push broke off: ${said}`, {
      ...details,
      actual: status === undefined ? `no answer from ${hubUrl}` : actual,
      fix: "push again: large files that have arrived are not sent again",
    });
  }
}
