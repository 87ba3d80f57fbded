import { getGpuHost } from "../../../engine/device/host.ts";
import { EngineError } from "../../../engine/errors.ts";
import type { Gpu } from "../../../engine/gpu.ts";
import { readWrite, type AnyKernel, type Bindings } from "../../../engine/kernel.ts";
import type { Program } from "../../../engine/program/program.ts";
import type { OwnRung } from "./own_kernel.ts";

/** One index into an array in a shader's text. */
interface Site {
  readonly array: string;
  readonly file: string;
  readonly line: number;
  readonly source: string;
}

/**
 * Runs an own kernel once with a test before every index into its storage and workgroup arrays. Dawn runs shaders here
 * without clamping them, so that an index past the end would read a neighbour's memory or end the process.
 * @returns why it could not be tested, if so.
 * @throws EngineError `shader` naming file, line, text and index of the first that is past the end.
 */
export async function checkBounds(gpu: Gpu, rung: OwnRung): Promise<string | undefined> {
  const { kernel, sites } = await withBoundsTested(rung.kernel);
  const storage = Object.keys(kernel.bindings as object).length;
  if (storage > gpu.limits.maxStorageBuffersPerShaderStage) return `${storage} storage bindings are too many here`;
  const seen = gpu.tensor("u32", [4], "bounds");
  const program = gpu.program("bench bounds");
  try {
    rung.recordAs(program, kernel, { bounds_seen: seen });
    const refused = await refusal(program);
    if (refused !== undefined) return refused;
    await program.run();
    const [count, site, index, length] = await seen.read();
    if (count === 0) return undefined;
    const { file, line, source, array } = sites[site];
    throw new EngineError("shader", `index past the end in \`${source.trim()}\``, {
      where: `${rung.kernel.name} (${file}:${line})`,
      expected: `an index of ${array} below ${length}`,
      actual: `${index}, ${count} such in all`,
      fix: "leave out the invocations past the end, or keep the index below the length",
    });
  } finally {
    program.dispose();
    seen.dispose();
  }
}

/** Why a program's shader does not compile, if so: such as a local variable with the name of a binding. */
async function refusal(program: Program): Promise<string | undefined> {
  try {
    await program.ready();
    return undefined;
  } catch (error) {
    if (error instanceof EngineError && error.code === "shader") return error.problem;
    throw error;
  }
}

/** The kernel with a call of `bounds_check` around every index, and where these are. */
export async function withBoundsTested(kernel: AnyKernel): Promise<{ kernel: AnyKernel; sites: readonly Site[] }> {
  const urls: readonly URL[] = [...(kernel.preludes ?? []), kernel.source];
  const parts = await Promise.all(
    urls.map(async (url) => ({ file: url.pathname.split("/").slice(-2).join("/"), text: await readText(url) })),
  );
  const lengths = lengthsOf(parts.map(({ text }) => text.replaceAll(/\/\/[^\n]*/g, "")).join("\n"));
  const sites: Site[] = [];
  const guarded = parts.map(({ file, text }) =>
    guard(text, lengths, (array, at) => {
      const line = text.slice(0, at).split("\n").length;
      return sites.push({ array, file, line, source: text.split("\n")[line - 1] }) - 1;
    }),
  );
  const binding = Object.keys(kernel.bindings as object).length;
  // Params come last, behind the tensor that is added.
  const moved = guarded.join("\n").replace(/@binding\(\d+\)(\s*var<uniform>\s*params\b)/, `@binding(${binding + 1})$1`);
  const code = `${moved}\n${testing.replace("BINDING", String(binding))}`;
  return {
    kernel: {
      ...kernel,
      name: `${kernel.name} bounds`,
      source: new URL(`data:text/plain;charset=utf-8,${encodeURIComponent(code)}`),
      preludes: [],
      bindings: { ...(kernel.bindings as Bindings), bounds_seen: readWrite("u32") },
    },
    sites,
  };
}

async function readText(url: URL): Promise<string> {
  return await getGpuHost().readText(url);
}

const testing = `@group(0) @binding(BINDING) var<storage, read_write> bounds_seen: array<atomic<u32>>;
fn bounds_check(index: u32, length: u32, site: u32) -> u32 {
  if (index < length) { return index; }
  if (atomicAdd(&bounds_seen[0], 1u) == 0u) {
    atomicStore(&bounds_seen[1], site);
    atomicStore(&bounds_seen[2], index);
    atomicStore(&bounds_seen[3], length);
  }
  return 0u;
}
`;

/** The arrays of a shader's module scope, each with an expression of its length. */
function lengthsOf(code: string): Map<string, string> {
  const lengths = new Map<string, string>();
  for (const [, name] of code.matchAll(/var<storage[^>]*>\s*(\w+)\s*:\s*array</g))
    lengths.set(name, `arrayLength(&${name})`);
  for (const [, name, length] of code.matchAll(/var<(?:workgroup|private)>\s*(\w+)\s*:\s*array<[^;]*,([^,;>]+)>\s*;/g))
    lengths.set(name, `u32(${length.trim()})`);
  return lengths;
}

/** @param site numbers the index at an offset of the text. */
function guard(
  text: string,
  lengths: ReadonlyMap<string, string>,
  site: (array: string, at: number) => number,
  from = 0,
  to = text.length,
): string {
  if (lengths.size === 0) return text.slice(from, to);
  const pattern = new RegExp(`//[^\\n]*|(?<![\\w.])(${[...lengths.keys()].join("|")})\\s*\\[`, "g");
  let [done, at] = ["", from];
  pattern.lastIndex = from;
  for (let match = pattern.exec(text); match !== null && match.index < to; match = pattern.exec(text)) {
    const name: string | undefined = match[1];
    if (name === undefined) continue;
    const open = pattern.lastIndex;
    const close = closing(text, open);
    const index = guard(text, lengths, site, open, close);
    done += `${text.slice(at, match.index)}${name}[bounds_check(u32(${index}), ${lengths.get(name)}, ${site(name, match.index)}u)]`;
    at = close + 1;
    pattern.lastIndex = at;
  }
  return done + text.slice(at, to);
}

/** Where the bracket that was opened before `at` closes. */
function closing(text: string, at: number): number {
  let depth = 1;
  for (let i = at; i < text.length; i++) {
    if (text[i] === "[") depth++;
    if (text[i] === "]" && --depth === 0) return i;
  }
  return text.length;
}
