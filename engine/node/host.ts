import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { shownAddress } from "../../checkpoint/address.ts";
import { EngineError } from "../errors.ts";
import type { FileStore } from "../../checkpoint/stores/file_store.ts";
import type { HubOptions } from "../../checkpoint/hub/options.ts";
import { parseRepository } from "../../checkpoint/hub/repository.ts";
import { nearestName } from "../check/nearest_name.ts";
import type { AdapterRequest, OpenedAdapter, Platform } from "../host.ts";
import { fetchText } from "../../checkpoint/sources/http.ts";
import { HttpStore } from "../../checkpoint/stores/http.ts";
import { openNavigatorAdapter } from "../web/navigator_gpu.ts";
import { makeFolder, writeFileAtomically } from "../../checkpoint/node/atomic_file.ts";
import { describe, listDawnAdapterDescriptions, openDawnAdapter, type AdapterDescription } from "./adapters.ts";
import { DirectoryStore } from "../../checkpoint/node/directory_store.ts";
import { withEnvironment } from "../../checkpoint/node/hub/environment.ts";
import { adapterAdvice, thisMachine } from "./machine.ts";
import { parseVersions } from "./forced_versions.ts";
import { CachedHubStore } from "../../checkpoint/node/hub/disk_hub_store.ts";
import { proxyAdvice } from "../../checkpoint/node/proxy_advice.ts";
import { restingWait } from "./resting_wait.ts";

const isDeno = "Deno" in globalThis;

/** The engine in Node (Dawn, the npm package `webgpu`) and in Deno (its own WebGPU). */
export const nodePlatform: Platform = {
  runtime: isDeno ? "deno" : "node",
  openAdapter,
  versions: () => parseVersions(process.env["BARK_KERNELS"]),
  // Deno does not wait in the event loop.
  ...(isDeno ? {} : { wait: restingWait }),
  readText,
  openStore,
  writeFile: writeFileAtomically,
  makeFolder,
};

/** Every adapter that can be opened here, GPUs first. */
export async function listAdapters(): Promise<AdapterDescription[]> {
  return isDeno ? await listDenoAdapters() : await listDawnAdapterDescriptions();
}

async function openAdapter(request: AdapterRequest): Promise<OpenedAdapter> {
  const device = request.device ?? (process.env["BARK_DEVICE"] || undefined);
  const preset = device === undefined ? {} : { device };
  return isDeno
    ? await openNavigatorAdapter(preset, adapterAdvice(thisMachine()).join("; "))
    : await openDawnAdapter(preset);
}

async function listDenoAdapters(): Promise<AdapterDescription[]> {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  return adapter === null ? [] : [describe(adapter, { backend: "deno", name: adapter.info.description })];
}

async function readText(url: URL): Promise<string> {
  if (url.protocol === "file:")
    return await readFile(fileURLToPath(url), "utf8").catch((cause: unknown) => {
      const fix = "install the package again: its files belong together";
      throw new EngineError("io", `cannot be read: ${(cause as Error).message}`, { where: url.href, fix, cause });
    });
  const text = await fetchText(url, { adviseOffline: (address) => proxyAdvice(address, process.env) });
  if (text !== undefined) return text;
  throw new EngineError("io", "the server does not have it", { where: shownAddress(url) });
}

/** What is on disk goes before what a name could mean elsewhere. */
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
  return new CachedHubStore({ ...repository, ...(aside === undefined ? {} : { aside }) }, settings);
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

/** A folder beside the one that is meant, whose name is near. */
async function nearestFolder(location: string): Promise<string | undefined> {
  const folder = path.dirname(location);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => !entry.isFile()).map(({ name }) => name);
  const nearest = nearestName(path.basename(location), folders);
  return nearest === undefined ? undefined : path.join(folder, nearest);
}
