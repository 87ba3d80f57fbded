import { stat } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { EngineError } from "../../../engine/errors.ts";
import type { AnyKernel } from "../../../engine/kernel.ts";
import type { OwnKernel } from "./own_kernel.ts";

const mark = " (own)";

/**
 * The kernels that `--with` names: `FILE.mjs`, whose default export is a kernel or an array of kernels, and
 * `VERSION=FILE.wgsl`, a shader under the declaration of that version; with commas between.
 * @throws EngineError `bad-input` for a file that is missing or exports something else.
 */
export async function loadOwnKernels(given: string): Promise<OwnKernel[]> {
  const lists = await Promise.all(given.split(",").map(loadOne));
  const all = lists.flat();
  const twice = all.find(({ version }, i) => all.findIndex((other) => other.version === version) < i);
  if (twice !== undefined)
    throw new EngineError("usage", "two kernels have this name", {
      where: `--with ${twice.version.slice(0, -mark.length)}`,
      fix: "give each a name of its own",
    });
  return all;
}

async function loadOne(given: string): Promise<OwnKernel[]> {
  const [, like, file] = /^(?:([\w ()]+)=)?(.+)$/.exec(given) ?? ["", undefined, given];
  if (!(await stat(file).catch(() => undefined))?.isFile())
    throw new EngineError("bad-input", "no such file", { where: `--with ${file}` });
  const url = pathToFileURL(path.resolve(file));
  if (/\.wgsl$/.test(file)) {
    if (like !== undefined) return [{ version: path.basename(file, ".wgsl") + mark, like, source: url }];
    throw new EngineError("usage", "a shader alone has no declaration", {
      where: `--with ${file}`,
      fix: `VERSION=${file} takes that of a version in the table; or write a module whose default export is a kernel`,
    });
  }
  const kernels = kernelsIn(file, await importModule(file, url));
  for (const kernel of kernels) await requireFiles(file, kernel);
  return kernels.map((kernel) => ({ version: kernel.name.replace(/^[^.]*\./, "") + mark, kernel }));
}

async function requireFiles(file: string, { name, source, preludes = [] }: AnyKernel): Promise<void> {
  for (const url of [...preludes, source]) {
    if (url.protocol !== "file:" || (await stat(url).catch(() => undefined))?.isFile()) continue;
    throw new EngineError("bad-input", "no such shader", { where: `--with ${file}: ${name}: ${fileURLToPath(url)}` });
  }
}

async function importModule(file: string, url: URL): Promise<unknown> {
  try {
    return ((await import(url.href)) as { default?: unknown }).default;
  } catch (cause) {
    // A wrong declaration has said its line already.
    if (cause instanceof EngineError) throw cause;
    const problem = (cause instanceof Error ? cause.message : String(cause)).split("\n")[0];
    // Where the module itself is wrong, the stack names its line.
    const own = path.basename(file).replaceAll(/[^\w-]/g, "\\$&");
    const [place] = cause instanceof Error ? (new RegExp(`${own}:\\d+(?::\\d+)?`).exec(cause.stack ?? "") ?? []) : [];
    throw new EngineError("bad-input", `cannot be imported: ${problem}`, {
      where: `--with ${file}${place === undefined ? "" : ` (${place})`}`,
      cause,
    });
  }
}

function kernelsIn(file: string, exported: unknown): AnyKernel[] {
  const all: unknown[] = Array.isArray(exported) ? exported : [exported];
  const wrong = all.map(lackOf).find((lack) => lack !== undefined);
  if (wrong === undefined && all.length > 0) return all as AnyKernel[];
  throw new EngineError("bad-input", "its default export is no kernel", {
    where: `--with ${file}`,
    expected: "what defineKernel of bark-webgpu/engine gives, or an array of such",
    actual: wrong ?? "an empty array",
  });
}

/** What a value lacks to be a kernel. */
function lackOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return value === undefined ? "nothing" : `a ${typeof value}`;
  const { name, source, bindings, params, workgroups } = value as Record<keyof AnyKernel, unknown>;
  if (typeof name !== "string" || name === "") return "an object without `name`";
  if (!(source instanceof URL)) return 'no URL in `source`: new URL("./my.wgsl", import.meta.url)';
  if (typeof bindings !== "object") return "an object without `bindings`";
  if (typeof params !== "object") return "an object without `params`";
  return typeof workgroups === "function" ? undefined : "no function in `workgroups`";
}
