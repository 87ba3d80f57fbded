import { stat } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { EngineError } from "../../../engine/errors.ts";
import type { OwnFile } from "./load_own.ts";

/**
 * The files that `--with` names: `FILE.mjs`, whose default export is a kernel or an array of kernels, and
 * `VERSION=FILE.wgsl`, a shader under the declaration of that version; with commas between.
 * @throws EngineError `bad-input` for a file that is missing, `usage` for a shader alone or a module behind a version.
 */
export async function ownFiles(given: string): Promise<OwnFile[]> {
  return await Promise.all(given.split(",").map(ownFile));
}

async function ownFile(given: string): Promise<OwnFile> {
  const [, like, file] = /^(?:([\w ()]+)=)?(.+)$/.exec(given) ?? ["", undefined, given];
  if (!(await stat(file).catch(() => undefined))?.isFile())
    throw new EngineError("bad-input", "no such file", { where: `--with ${file}` });
  const url = pathToFileURL(path.resolve(file)).href;
  if (!file.endsWith(".wgsl") && like !== undefined)
    throw new EngineError("usage", "a module declares its kernels itself", {
      where: `--with ${given}`,
      fix: `give ${file} alone`,
    });
  if (!file.endsWith(".wgsl")) return { file, url };
  if (like !== undefined) return { file, url, like };
  throw new EngineError("usage", "a shader alone has no declaration", {
    where: `--with ${file}`,
    fix: `VERSION=${file} takes that of a version in the table; or write a module whose default export is a kernel`,
  });
}
