import { EngineError } from "../engine/errors.ts";
import { getFileHost } from "./host.ts";
import type { HubOptions } from "./hub/options.ts";
import type { ByteSource } from "./sources/byte_source.ts";
import { BlobSource, MemorySource } from "./sources/memory.ts";
import type { FileStore } from "./stores/file_store.ts";

/** Absolute addresses of a checkpoint's files, or the files themselves, by their paths in it. */
export type FileAddresses = Readonly<Record<string, string | Blob>>;

/**
 * The checkpoint whose files are at these addresses: a folder where they lie in one under their own names; otherwise each
 * by itself, since a bundler gives every file a name of its own and turns small ones into `data:` addresses. Files themselves
 * may have any layout that a folder may have.
 * @param name of the checkpoint in errors, where it is no folder.
 * @throws EngineError `bad-input` if nothing is at the addresses.
 */
export async function openAddresses(name: string, files: FileAddresses, options: HubOptions = {}): Promise<FileStore> {
  const open = async (path: string): Promise<ByteSource | undefined> =>
    await openAddress(`${name}/${path}`, files[path], options);
  // What a person chose may have any layout: whoever reads it says what is missing.
  if (Object.values(files).every((file) => typeof file !== "string"))
    return { name, open, list: () => Promise.resolve(Object.keys(files).filter((path) => !path.includes("/"))) };
  const folder = folderOf(files);
  const store = folder === undefined ? { name, open } : await getFileHost().openStore(folder, options);
  const config = await store.open("config.json");
  await config?.close();
  if (config !== undefined) return store;
  throw new EngineError("bad-input", `the files of ${name} are missing`, {
    where: store.name,
    fix: "put the files of its package there: esbuild and rollup leave them where they are",
  });
}

/** The folder in which all files lie under their own names. */
function folderOf(files: FileAddresses): string | undefined {
  const [[path, address]] = Object.entries(files);
  if (typeof address !== "string") return undefined;
  const folder = address.slice(0, -path.length - 1);
  return Object.entries(files).every(([path, address]) => address === `${folder}/${path}`) ? folder : undefined;
}

async function openAddress(
  name: string,
  address: string | Blob | undefined,
  options: HubOptions,
): Promise<ByteSource | undefined> {
  if (address === undefined) return undefined;
  if (typeof address !== "string") return new BlobSource(name, address);
  if (address.startsWith("data:"))
    return new MemorySource(name, new Uint8Array(await (await fetch(address)).arrayBuffer()));
  const { href, pathname } = new URL(address);
  const store = await getFileHost().openStore(new URL(".", href).href, options);
  return await store.open(decodeURIComponent(pathname.slice(pathname.lastIndexOf("/") + 1)));
}
