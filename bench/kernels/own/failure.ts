import { getGpuHost } from "../../../engine/device/host.ts";
import { describeSubgroupMatrix } from "../../../engine/device/subgroup_matrix.ts";
import { EngineError } from "../../../engine/errors.ts";
import type { Gpu } from "../../../engine/gpu.ts";
import type { AnyKernel, Binding } from "../../../engine/kernel.ts";

/** Why a rung has no time, in one line: what is wrong, in which line of which file, and what to change. */
export async function failureOf(error: unknown, kernel: AnyKernel | undefined): Promise<string> {
  if (!(error instanceof EngineError)) return error instanceof Error ? error.message.split("\n")[0] : String(error);
  if (kernel === undefined || error.code !== "shader" || typeof error.expected !== "string") return error.toLine();
  const place = error.fix === undefined ? await placeOf(kernel, error.expected) : undefined;
  if (place === undefined) return error.toLine();
  // The engine tells all bindings that it found: the line says which one is meant.
  return new EngineError("shader", `${error.problem} in \`${place.source}\``, {
    where: `${kernel.name} (${place.file}:${place.line})`,
    expected: error.expected,
    actual: place.source,
    fix: "change this line, or `bindings`, `params` or `constants` of the declaration",
  }).toLine();
}

/** The line of a kernel's own text that does not say what its declaration does. */
async function placeOf(
  { source, preludes = [], bindings }: AnyKernel,
  expected: string,
): Promise<{ file: string; line: number; source: string } | undefined> {
  const number = /^binding (\d+)/.exec(expected)?.[1];
  const params = Object.keys(bindings as Record<string, Binding>).length;
  const pattern =
    number !== undefined
      ? new RegExp(`@binding\\(${number}\\)`)
      : expected.startsWith("struct Params")
        ? /struct\s+Params/
        : new RegExp(`@binding\\(${params}\\)|@compute`);
  for (const url of [source, ...preludes].toReversed()) {
    const lines = (await getGpuHost().readText(url)).split("\n");
    const line = lines.findIndex((text) => pattern.test(text.replace(/\/\/.*/, "")));
    if (line < 0) continue;
    return { file: url.pathname.split("/").slice(-2).join("/"), line: line + 1, source: lines[line].trim() };
  }
  return undefined;
}

/** @throws EngineError `limit` if the device lacks what a kernel needs. */
export function requireSupport(gpu: Gpu, kernel: AnyKernel): void {
  if (gpu.supports(kernel)) return;
  const { name, features = [], subgroupLanes = 1, subgroupMatrix } = kernel;
  const missing = features.filter((feature) => !gpu.features.has(feature)).join(", ");
  const lanes = `subgroups of at least ${subgroupLanes} lanes`;
  const needs = missing || (subgroupMatrix === undefined ? lanes : describeSubgroupMatrix(subgroupMatrix));
  throw new EngineError("limit", `needs ${needs}`, {
    where: name,
    expected: needs,
    actual: `${gpu.adapterName} with ${[...gpu.features].sort().join(", ") || "no feature"}`,
    fix: "take another adapter by --device, or leave it out of `features` and of the shader",
  });
}

/** The first loop of a kernel's own text, where one that does not end has to be looked for. */
export async function firstLoop(source: URL): Promise<string> {
  const lines = (await getGpuHost().readText(source)).split("\n");
  const loops = lines.flatMap((text, i) => (/\b(for|while|loop)\b/.test(text.replace(/\/\/.*/, "")) ? [i] : []));
  const file = source.pathname.split("/").slice(-2).join("/");
  const shown = loops.slice(0, 3).map((i) => `${file}:${i + 1} \`${lines[i].trim()}\``);
  return shown.length === 0 ? file : `${shown.join(", ")}${loops.length > 3 ? " and more" : ""}`;
}
