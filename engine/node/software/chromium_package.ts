import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { brotliDecompress } from "node:zlib";
import { EngineError } from "../../errors.ts";

const decompress = promisify(brotliDecompress);

/** Where the npm package `@sparticuz/chromium` lies, or `undefined` if it is not installed. */
export function findChromiumPackage(): string | undefined {
  try {
    const main = createRequire(import.meta.url).resolve("@sparticuz/chromium");
    return path.resolve(path.dirname(main), "../..");
  } catch {
    return undefined;
  }
}

/** Decompressed bytes of one of the package's archives, such as `swiftshader.tar.br`. */
export async function readChromiumArchive(packageDir: string, name: string): Promise<Uint8Array> {
  return await decompress(await readFile(path.join(packageDir, "bin", name)));
}

/**
 * The folder `name-VERSION` in the cache, filled by `fill` the first time. It appears by a rename, so a process that
 * runs beside this one, or a kill half-way, never shows a half-written folder.
 */
export async function cachedFolder(
  packageDir: string,
  name: string,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const { version } = JSON.parse(await readFile(path.join(packageDir, "package.json"), "utf8")) as { version: string };
  let failure: unknown;
  for (const root of cacheRoots(packageDir)) {
    const folder = path.join(root, `${name}-${version}`);
    if (await exists(folder)) return folder;
    const temporary = `${folder}.${randomUUID()}`;
    try {
      await mkdir(temporary, { recursive: true });
      await fill(temporary);
      await renameUnlessThere(temporary, folder);
      return folder;
    } catch (error) {
      failure = error;
      await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    }
  }
  throw new EngineError("io", `cannot unpack ${name}: ${String(failure)}`, {
    where: cacheRoots(packageDir).join(", "),
    fix: "make one of these folders writable",
    cause: failure,
  });
}

/** The first that is writable is used: beside the installed packages, else the user's cache. */
function cacheRoots(packageDir: string): string[] {
  const userCache = process.env["XDG_CACHE_HOME"] ?? path.join(homedir(), ".cache");
  return [path.resolve(packageDir, "../../.cache/bark-webgpu"), path.join(userCache, "bark-webgpu")];
}

async function exists(file: string): Promise<boolean> {
  return await stat(file).then(
    () => true,
    () => false,
  );
}

async function renameUnlessThere(temporary: string, folder: string): Promise<void> {
  try {
    await rename(temporary, folder);
  } catch (error) {
    if (!(await exists(folder))) throw error;
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Writes the regular files of a ustar archive below `folder`; the archives hold neither links nor long names. */
export async function extractTar(tar: Uint8Array, folder: string): Promise<void> {
  const text = (begin: number, length: number) =>
    new TextDecoder().decode(tar.subarray(begin, begin + length)).replace(/\0.*$/s, "");
  let offset = 0;
  while (offset + 512 <= tar.length && tar[offset] !== 0) {
    const name = text(offset, 100);
    const mode = Number.parseInt(text(offset + 100, 8), 8);
    const size = Number.parseInt(text(offset + 124, 12), 8);
    const type = text(offset + 156, 1);
    const begin = offset + 512;
    if (type === "" || type === "0") {
      const file = path.join(folder, name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, tar.subarray(begin, begin + size), { mode });
    }
    offset = begin + Math.ceil(size / 512) * 512;
  }
}
