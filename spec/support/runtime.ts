/**
 * What a spec under spec/gpu/ needs from the runtime that it runs in (Node, Deno or a browser page). Importing this
 * module gives engine and checkpoint their host.
 */
import type { FileStore } from "../../checkpoint/stores/file_store.ts";
import { getFileHost } from "../../checkpoint/host.ts";

/** In a browser page, not in Node or Deno. */
export const isPage = "document" in globalThis;

if (isPage) await import("../../bark/web.ts");
else await import("../../bark/node.ts");

const root = new URL("../../", import.meta.url);

/** Bytes of a fixture. `path` is relative to spec/fixtures/. */
export async function readFixture(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return await readRepositoryFile(`spec/fixtures/${path}`);
}

export async function readFixtureJson<T>(path: string): Promise<T> {
  return JSON.parse(new TextDecoder().decode(await readFixture(path))) as T;
}

/** Bytes of any file of the repository. */
export async function readRepositoryFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(path, root);
  if (!isPage) {
    const { readFile } = await import("node:fs/promises");
    return new Uint8Array(await readFile(url));
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${path}: HTTP status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** The files below a folder of the repository, such as `models/nano`: from disk, or by HTTP ranges in a page. */
export async function openRepositoryStore(path: string): Promise<FileStore> {
  const url = new URL(path, root);
  return await getFileHost().openStore(isPage ? url.href : decodeURIComponent(url.pathname));
}
