import { randomUUID } from "node:crypto";
import { copyFile, link as hardLink, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import path from "node:path";
import { isCommitHash } from "../../hub/repository.ts";
import { makeFolder, writeFileAtomically } from "../atomic_file.ts";

/**
 * A repository in the cache that Python's huggingface_hub keeps:
 * ```
 * models--OWNER--NAME/blobs/ETAG                the content of a file
 * models--OWNER--NAME/snapshots/COMMIT/PATH     a symbolic link to it
 * models--OWNER--NAME/refs/REVISION             the commit that a branch or tag was at
 * models--OWNER--NAME/.no_exist/COMMIT/PATH     empty: the commit has no such file
 * ```
 */
export class HubCache {
  /** Of all repositories. */
  readonly root: string;
  readonly #folder: string;
  readonly #name: string;

  constructor(root: string, id: string) {
    this.root = root;
    this.#name = `models--${id.replace("/", "--")}`;
    this.#folder = path.join(root, this.#name);
  }

  blob(etag: string): string {
    return path.join(this.#folder, "blobs", etag);
  }

  /** Beside Python's locks, which are of another kind. */
  lock(etag: string): string {
    return path.join(this.root, ".locks", this.#name, `${etag}.bark.lock`);
  }

  /** The commit of a revision at the last request, or undefined if there was none. */
  async commitOf(revision: string): Promise<string | undefined> {
    if (isCommitHash(revision)) return revision;
    const text = await readFile(this.#ref(revision), "utf8").catch(() => "");
    return /^\w[\w.-]*$/.test(text.trim()) ? text.trim() : undefined;
  }

  async hasSnapshot(commit: string): Promise<boolean> {
    return (await stat(path.join(this.#folder, "snapshots", commit)).catch(() => undefined))?.isDirectory() === true;
  }

  /** Path of a file of a commit, or undefined if it is not here. */
  async find(commit: string, file: string): Promise<string | undefined> {
    const link = this.#snapshot(commit, file);
    return (await isFile(link)) ? link : undefined;
  }

  async isKnownAbsent(commit: string, file: string): Promise<boolean> {
    return await isFile(this.#absent(commit, file));
  }

  /** Failures are ignored: a read-only cache still serves its files, and notes only save requests. */
  async note(revision: string, commit: string): Promise<void> {
    if (revision === commit || (await this.commitOf(revision)) === commit) return;
    await writeSmall(this.#ref(revision), commit);
  }

  async noteAbsent(commit: string, file: string): Promise<void> {
    await writeSmall(this.#absent(commit, file), "");
  }

  /** Links the file of a commit to its cached content; where no link can be made, gives the content's own path. */
  async link(commit: string, file: string, etag: string): Promise<string> {
    const link = this.#snapshot(commit, file);
    if (await isFile(link)) return link;
    try {
      await makeFolder(path.dirname(link));
      await placeLink(this.blob(etag), link);
      return link;
    } catch {
      // A read-only cache still serves its files.
      return this.blob(etag);
    }
  }

  #snapshot(commit: string, file: string): string {
    return path.join(this.#folder, "snapshots", commit, ...file.split("/"));
  }

  #absent(commit: string, file: string): string {
    return path.join(this.#folder, ".no_exist", commit, ...file.split("/"));
  }

  #ref(revision: string): string {
    return path.join(this.#folder, "refs", ...revision.split("/"));
  }
}

/** Makes a link by `symbolic`; where that is forbidden, a hard link, or a copy. */
export async function placeLink(content: string, link: string, symbolic = symlink): Promise<void> {
  const temporary = `${link}.${randomUUID()}.tmp`;
  try {
    // Windows allows symbolic links to few users, and FAT has no hard links.
    await symbolic(path.relative(path.dirname(link), content), temporary)
      .catch(() => hardLink(content, temporary))
      .catch(() => copyFile(content, temporary));
    await rename(temporary, link);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function isFile(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined))?.isFile() === true;
}

async function writeSmall(file: string, text: string): Promise<void> {
  try {
    await makeFolder(path.dirname(file));
    await writeFileAtomically(file, new TextEncoder().encode(text));
  } catch {
    // See `note`.
  }
}
