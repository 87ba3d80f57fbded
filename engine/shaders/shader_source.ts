import { EngineError } from "../errors.ts";
import type { AnyKernel, Binding } from "../kernel.ts";
import { Memo } from "../memo.ts";
import { getGpuHost } from "../device/host.ts";
import { subgroupMatrix } from "../device/subgroup_matrix.ts";
import type { MatrixFormat, WeightFormat } from "../dtypes.ts";

const weightSources: Record<WeightFormat, URL> = {
  f32: new URL("../formats/f32.wgsl", import.meta.url),
  f16: new URL("../formats/f16.wgsl", import.meta.url),
};
const matrixSources: Record<MatrixFormat, URL> = {
  f32: new URL("../formats/matrix_f32.wgsl", import.meta.url),
  f16: new URL("../formats/matrix_f16.wgsl", import.meta.url),
  q8: new URL("../formats/matrix_q8.wgsl", import.meta.url),
};

/** The directive that a shader needs for a feature of its kernel. */
const enableSources: Partial<Record<GPUFeatureName, URL>> = {
  subgroups: new URL("../formats/subgroups.wgsl", import.meta.url),
  "shader-f16": new URL("../formats/half.wgsl", import.meta.url),
  [subgroupMatrix]: new URL("../formats/subgroup_matrix.wgsl", import.meta.url),
};

interface Part {
  file: string;
  text: string;
}

/** The text of a shader: directives of its features, the prelude of its weight format, its preludes, its main file. */
export class ShaderSource {
  readonly text: string;
  readonly #parts: readonly Part[];

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
    this.text = parts.map((part) => part.text).join("");
  }

  /** File and line within it of a 1-based line of the whole text. */
  locate(line: number): { file: string; line: number; source: string } {
    let left = line - 1;
    for (const part of this.#parts) {
      const lines = part.text.split("\n");
      // Every part ends with a newline, so its last element is empty and belongs to the next part.
      if (left < lines.length - 1) return { file: part.file, line: left + 1, source: lines[left] };
      left -= lines.length - 1;
    }
    return { file: this.#parts.at(-1)?.file ?? "?", line, source: "" };
  }
}

const texts = new Memo<string, string>();

/** Whether a kernel's shader depends on the format of its weights. */
export function usesWeights(kernel: AnyKernel): boolean {
  return formatSourcesOf(kernel) !== undefined;
}

/** The formats of weights that a kernel has a shader for; one without weights has a single shader. */
export function formatsOf(kernel: AnyKernel): readonly MatrixFormat[] {
  return Object.keys(formatSourcesOf(kernel) ?? { f32: undefined }) as MatrixFormat[];
}

function formatSourcesOf(kernel: AnyKernel): Partial<Record<MatrixFormat, URL>> | undefined {
  const dtypes = Object.values<Binding>(kernel.bindings).map((binding) => binding.dtype);
  if (dtypes.includes("matrix")) return matrixSources;
  return dtypes.includes("weight") ? weightSources : undefined;
}

/** Loads and joins the files of a kernel and checks its declaration against them. */
export async function loadShader(kernel: AnyKernel, format: MatrixFormat): Promise<ShaderSource> {
  const enables = (kernel.features ?? []).flatMap((feature) => enableSources[feature] ?? []);
  const prelude = formatSourcesOf(kernel)?.[format];
  const urls = [...enables, ...(prelude === undefined ? [] : [prelude]), ...(kernel.preludes ?? []), kernel.source];
  const parts = await Promise.all(
    urls.map(async (url) => {
      const text = await texts.get(url.href, () => getGpuHost().readText(url));
      return { file: url.pathname.split("/").slice(-2).join("/"), text: text.endsWith("\n") ? text : `${text}\n` };
    }),
  );
  const source = new ShaderSource(parts);
  checkDeclaration(kernel, source.text);
  return source;
}

/**
 * Checks a kernel's declaration against its WGSL: bindings (number, access, name, element type), the Params struct and
 * the override constants. A declaration that drifted would bind the wrong tensor without any message.
 * @throws EngineError `shader` naming the first difference.
 */
export function checkDeclaration(kernel: AnyKernel, text: string): void {
  const fail = (expected: string, actual: string): never => {
    throw new EngineError("shader", "declaration and WGSL disagree", { where: kernel.name, expected, actual });
  };
  const code = text.replaceAll(/\/\/.*$/gm, "");
  const found = [...code.matchAll(/@group\((\d+)\)\s*@binding\((\d+)\)\s*var<([^>]*)>\s*(\w+)\s*:\s*([^;]+);/g)].map(
    ([, group, binding, space, name, type]) =>
      `@group(${group}) @binding(${binding}) var<${space.replaceAll(/\s/g, "")}> ${name}: ${type.replaceAll(/\s/g, "")}`,
  );
  const entries = Object.entries<Binding>(kernel.bindings);
  const elementTypes = {
    // Bits of f32, where workgroups pass values to each other by atomics.
    f32: "f32|vec4<f32>|vec2<f32>|atomic<u32>",
    u32: "u32|vec4<u32>|atomic<u32>",
    i32: "i32",
    weight: "Weight4",
    matrix: "Matrix4",
  };
  for (const [index, [name, binding]] of entries.entries()) {
    const space = binding.access === "read" ? "storage,read" : "storage,read_write";
    const pattern = new RegExp(
      `^@group\\(0\\) @binding\\(${index}\\) var<${space}> ${name}: (array<(${elementTypes[binding.dtype]})>|[A-Z]\\w*)$`,
    );
    if (!found.some((line) => pattern.test(line)))
      fail(`binding ${index}: ${name}, ${space}, ${binding.dtype}`, found.join(" | "));
  }
  const uniform = `@group(0) @binding(${entries.length}) var<uniform> params: Params`;
  if (!found.includes(uniform)) fail(uniform, found.join(" | "));
  if (found.length !== entries.length + 1) fail(`${entries.length + 1} bindings`, `${found.length} bindings`);
  checkParams(kernel, code, fail);
  for (const name of Object.keys(kernel.constants ?? {}))
    if (!new RegExp(`\\boverride\\s+${name}\\b`).test(code)) fail(`override ${name}`, "none");
}

function checkParams(kernel: AnyKernel, code: string, fail: (expected: string, actual: string) => never): void {
  const body = /struct\s+Params\s*\{([^}]*)\}/.exec(code)?.[1] ?? "";
  const fields = [...body.matchAll(/(\w+)\s*:\s*(\w+)/g)].map(([, name, type]) => `${name}: ${type}`).join(", ");
  const declared = Object.entries<string>(kernel.params)
    .map(([name, type]) => `${name}: ${type}`)
    .join(", ");
  if (fields !== declared) fail(`struct Params { ${declared} }`, `struct Params { ${fields} }`);
}
