import { EngineError } from "../../engine/errors.ts";
import type { HubOptions } from "../../checkpoint/hub/options.ts";
import { openAddresses, type FileAddresses } from "../../checkpoint/open_addresses.ts";
import type { FileStore } from "../../checkpoint/stores/file_store.ts";

const packageName = "bark-webgpu-nano";

interface NanoPackage {
  readonly files: Readonly<Record<string, URL>>;
}

/** Opens the checkpoint "nano". @throws EngineError `bad-input` if its package or its files are missing. */
export async function openNano(options: HubOptions): Promise<FileStore> {
  return await openAddresses("nano", await nanoFiles(), options);
}

/**
 * Where the files of the checkpoint "nano" are: in a package of its own, which only those fetch who ask for it.
 * @throws EngineError `bad-input` if that is not installed.
 */
export async function nanoFiles(): Promise<FileAddresses> {
  const { files } = await loadPackage();
  // Those of Next.js (Turbopack) are relative to the page.
  const base = (globalThis.document as Document | undefined)?.baseURI;
  return Object.fromEntries(Object.entries(files).map(([path, { href }]) => [path, new URL(href, base).href]));
}

async function loadPackage(): Promise<NanoPackage> {
  try {
    return await import("bark-webgpu-nano");
  } catch (cause) {
    const address = addressBeside(import.meta.url);
    const found = address === undefined ? undefined : await importAddress(address);
    if (found !== undefined) return found;
    throw new EngineError("bad-input", `the npm package ${packageName} cannot be loaded`, {
      where: "nano",
      fix: `run: npm install ${packageName}; in a page without a bundler, name its address in an import map`,
      cause,
    });
  }
}

/**
 * A page without a bundler knows no package by its name. The address beside that of this package, version included, is
 * right in node_modules and on the CDNs of npm.
 */
export function addressBeside(address: string): string | undefined {
  const found = /^(https?:\/\/.*\/)bark-webgpu(@[^/]+)?\//.exec(address);
  return found === null ? undefined : `${found[1]}${packageName}${found[2] ?? ""}/index.js`;
}

async function importAddress(address: string): Promise<NanoPackage | undefined> {
  try {
    return (await import(address)) as NanoPackage;
  } catch {
    return undefined;
  }
}
