import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { EngineError } from "../../engine/errors.ts";
import { nearestName } from "../../engine/check/nearest_name.ts";
import type { FileHost } from "../host.ts";
import type { HubOptions, PushOptions } from "../hub/options.ts";
import { parseRepository } from "../hub/repository.ts";
import type { FileStore } from "../stores/file_store.ts";
import { HttpStore } from "../stores/http.ts";
import { makeFolder, writeFileAtomically } from "./atomic_file.ts";
import { DirectoryStore } from "./directory_store.ts";
import { DiskHubStore } from "./hub/disk_hub_store.ts";
import { withEnvironment } from "./hub/environment.ts";

/** Files in Node and Deno. */
export const nodeFileHost: FileHost = { isPage: false, openStore, writeFile: writeFileAtomically, makeFolder, push };

/** Loaded when it is called: few push. */
async function push(save: (folder: string) => Promise<void>, options: PushOptions): Promise<string> {
  const { pushToHub } = await import("./hub/push.ts");
  return await pushToHub(save, options);
}

/** A path on disk wins over a repository of the same name on the hub. */
async function openStore(location: string, options: HubOptions = {}): Promise<FileStore> {
  if (/^file:/i.test(location)) return new DirectoryStore(folderOf(location));
  if ((await stat(location).catch(() => undefined)) !== undefined) return new DirectoryStore(location);
  const settings = withEnvironment(options);
  const repository = parseRepository(location, settings);
  if (repository === undefined && isAddress(location)) return new HttpStore(location, settings);
  const nearest = isAddress(location) ? undefined : await nearestFolder(location);
  const advice = nearest === undefined ? "" : ` (did you mean ${nearest}?)`;
  if (repository === undefined)
    throw new EngineError("bad-input", "no such file or folder, and it is neither a URL nor owner/name on the hub", {
      where: location,
      fix: `give the folder of a Bark checkpoint${advice}, a URL, or owner/name of a repository such as suno/bark-small`,
    });
  const isFolder = !isAddress(location) && !location.includes("@");
  const aside = isFolder ? `there is no folder ${location} here${advice}` : undefined;
  return new DiskHubStore({ ...repository, ...(aside === undefined ? {} : { aside }) }, settings);
}

function isAddress(location: string): boolean {
  return /^https?:\/\//i.test(location);
}

function folderOf(location: string): string {
  try {
    return fileURLToPath(location);
  } catch (cause) {
    throw new EngineError("usage", (cause as Error).message, { where: location, expected: "file:///FOLDER", cause });
  }
}

/** A neighbouring folder with a similar name. */
async function nearestFolder(location: string): Promise<string | undefined> {
  const folder = path.dirname(location);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => !entry.isFile()).map(({ name }) => name);
  const nearest = nearestName(path.basename(location), folders);
  return nearest === undefined ? undefined : path.join(folder, nearest);
}
