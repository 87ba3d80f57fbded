import { EngineError } from "../engine/errors.ts";
import type { Device } from "../engine/device/device.ts";
import { describeSubgroupMatrix } from "../engine/device/subgroup_matrix.ts";
import type { AnyKernel } from "../engine/kernel.ts";

/** One way to compute an op. The `versions.ts` of each op holds a table of them by name. */
export interface Version<Shape, Kernels extends readonly AnyKernel[] = readonly AnyKernel[]> {
  /** The kernels that it dispatches, in order. */
  readonly kernels: Kernels;
  /** What a shape lacks for this version; `undefined` if the version can do the shape. */
  readonly lacks: (shape: Shape) => Lack | undefined;
}

export interface Lack {
  /** What the version needs, such as "a multiple of four input channels". */
  readonly needs: string;
  readonly actual: number | string;
}

/** The `lacks` of a version that does every shape. */
export const nothing = (): undefined => undefined;

/** Whether a device can run a version on a shape: the one question that choose.ts and the ops ask. */
export function can<Shape>(gpu: Device, version: Version<Shape>, shape: Shape): boolean {
  return lackOf(gpu, version, shape) === undefined;
}

function lackOf<Shape>(gpu: Device, { kernels, lacks }: Version<Shape>, shape: Shape): Lack | undefined {
  const lack = lacks(shape);
  if (lack !== undefined) return lack;
  const missing = kernels.find((kernel) => !gpu.supports(kernel));
  return missing && { needs: deviceNeeds(missing), actual: gpu.adapterName };
}

/** What a kernel needs of a device, such as `a device with subgroups of at least 8 lanes`. */
export function deviceNeeds({ features = [], subgroupLanes = 1, subgroupMatrix }: AnyKernel): string {
  const lanes = subgroupLanes > 1 ? ` of at least ${subgroupLanes} lanes` : "";
  const matrices = subgroupMatrix === undefined ? "" : `, ${describeSubgroupMatrix(subgroupMatrix)}`;
  return `a device with ${features.join(", ")}${lanes}${matrices}`;
}

/** The kernels of all versions of a table. */
export function kernelsOf(table: Readonly<Record<string, Version<never>>>): AnyKernel[] {
  return Object.values(table).flatMap(({ kernels }) => [...kernels]);
}

/**
 * A version by its name in a table; a version itself (a rung of a lab, or your own) stays as it is.
 * @throws EngineError `usage` if the table has no such name.
 */
export function versionOf<Table extends Readonly<Record<string, Version<never>>>, Choice>(
  table: Table,
  choice: Choice,
): Table[keyof Table] | Exclude<Choice, string> {
  if (typeof choice !== "string") return choice as Exclude<Choice, string>;
  if (Object.hasOwn(table, choice)) return table[choice as keyof Table & string];
  throw new EngineError("usage", "no such version", { expected: Object.keys(table).join(", "), actual: choice });
}

/** @throws EngineError `usage` if a device cannot run a version on a shape. */
export function requireVersion<Shape>(gpu: Device, version: Version<Shape>, shape: Shape): void {
  const lack = lackOf(gpu, version, shape);
  if (lack === undefined) return;
  throw new EngineError("usage", "this version cannot do this shape", {
    where: version.kernels[0].name,
    expected: lack.needs,
    actual: lack.actual,
  });
}
