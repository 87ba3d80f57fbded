import { EngineError } from "../../../engine/errors.ts";
import { getGpuHost } from "../../../engine/device/host.ts";
import type { AnyKernel } from "../../../engine/kernel.ts";
import type { OwnKernel } from "./own_kernel.ts";

/** A file that `--with` names. */
export interface OwnFile {
  /** As it was given. */
  readonly file: string;
  /** Where the runtime that measures finds it. */
  readonly url: string;
  /** Of a shader: the version whose declaration it takes. */
  readonly like?: string;
}

const mark = " (own)";

/**
 * The kernels in files that `--with` names, in Node or in a page. @throws EngineError `bad-input` for a module that cannot be
 * imported or exports something else, `usage` for two kernels of one name.
 */
export async function loadOwn(files: readonly OwnFile[]): Promise<OwnKernel[]> {
  const all = (await Promise.all(files.map(loadOne))).flat();
  const twice = all.find(({ version }, i) => all.findIndex((other) => other.version === version) < i);
  if (twice !== undefined)
    throw new EngineError("usage", "two kernels have this name", {
      where: `--with ${twice.version.slice(0, -mark.length)}`,
      fix: "give each a name of its own",
    });
  return all;
}

async function loadOne({ file, url, like }: OwnFile): Promise<OwnKernel[]> {
  if (like !== undefined) return [{ version: nameOf(file).replace(/\.wgsl$/, "") + mark, like, source: new URL(url) }];
  const kernels = kernelsIn(file, await importModule(file, url));
  for (const kernel of kernels) await requireShaders(file, kernel);
  return kernels.map((kernel) => ({ version: kernel.name.replace(/^[^.]*\./, "") + mark, kernel }));
}

function nameOf(file: string): string {
  return file.replace(/^.*[/\\]/, "");
}

async function requireShaders(file: string, { name, source, preludes = [] }: AnyKernel): Promise<void> {
  for (const url of [...preludes, source])
    await getGpuHost()
      .readText(url)
      .catch((cause: unknown) => {
        const where = `--with ${file}: ${name}: ${decodeURIComponent(url.pathname)}`;
        throw new EngineError("bad-input", "no such shader", { where, cause });
      });
}

async function importModule(file: string, url: string): Promise<unknown> {
  try {
    return ((await import(url)) as { default?: unknown }).default;
  } catch (cause) {
    // A wrong declaration has said its line already.
    if (cause instanceof EngineError) throw cause;
    const problem = (cause instanceof Error ? cause.message : String(cause)).split("\n")[0];
    // Where the module itself is wrong, the stack names its line.
    const own = nameOf(file).replaceAll(/[^\w-]/g, "\\$&");
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
