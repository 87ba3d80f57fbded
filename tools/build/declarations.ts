import path from "node:path";

/**
 * TypeScript 6 has the types of WebGPU in its `dom` library, TypeScript 5.9 has none, and the package @webgpu/types clashes
 * with the former. So our declarations ask for neither: they take the global type where the user's program has it.
 */
const globals = [
  "GPUAdapter",
  "GPUAdapterInfo",
  "GPUBindGroup",
  "GPUBindGroupLayout",
  "GPUBuffer",
  "GPUComputePassEncoder",
  "GPUComputePipeline",
  "GPUDevice",
  "GPUSupportedLimits",
];
/** Types without a global constructor by which to find them. */
const others = { GPUComputePassTimestampWrites: "object", GPUFeatureName: "string" };

export const webgpuTypes = [
  ...globals.map(
    (name) =>
      `export type ${name} = typeof globalThis extends { ${name}: { prototype: infer T } } ? T : any; // without WebGPU's types`,
  ),
  ...Object.entries(others).map(([name, type]) => `export type ${name} = ${type};`),
  "",
].join("\n");

const known = new Set([...globals, ...Object.keys(others)]);

/** `[Symbol.dispose]` is in no library before TypeScript's `esnext`, which few programs ask for. */
const disposable = '/// <reference lib="esnext.disposable" />\n';

/** A declaration that names its neighbours as they are called in dist/, and WebGPU's types as our own. */
export function withOwnTypes(text: string, file: string): string {
  const libraries = text.includes("Symbol.dispose") ? disposable : "";
  const renamed = text.replaceAll(/((?:from |import\()"\.[^"]*)\.ts"/g, '$1.js"');
  const names = new Set(renamed.match(/\bGPU[A-Z]\w*/g));
  const unknown = [...names].filter((name) => !known.has(name));
  if (unknown.length > 0) throw new Error(`${file}: add ${unknown.join(", ")} to tools/build/declarations.ts`);
  if (names.size === 0) return libraries + renamed;
  const up = path.posix.relative(path.posix.dirname(file), "webgpu_types.js");
  return `${libraries}import type { ${[...names].join(", ")} } from "${up.startsWith(".") ? up : `./${up}`}";\n${renamed}`;
}
