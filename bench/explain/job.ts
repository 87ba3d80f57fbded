import type { MatrixFormat } from "../../engine/dtypes.ts";
import { didYouMean } from "../../engine/check/nearest_name.ts";
import { EngineError } from "../../engine/errors.ts";
import { allCases } from "../kernels/cases/all.ts";
import type { KernelCase } from "../kernels/cases/case.ts";

/** What the process that explains is told. */
export interface ExplainJob {
  readonly op: string;
  readonly version: string;
  /** A part of the shape's description; empty: the first at which the version runs. */
  readonly shape: string;
  readonly format: MatrixFormat;
  readonly device: string | undefined;
  /** The value of `--with`, if the version is one of those. */
  readonly own?: string | undefined;
}

/** Parts what drivers print about one kernel from the next. */
export const marker = "=== bark explain: ";

/** Told to the process that explains once its answer has arrived. */
export const ended = "end";

/** The cases at which a version of the table, or any at which an own one may run. */
export function explainedCases({ op, version, shape, own }: Omit<ExplainJob, "format" | "device">): KernelCase[] {
  return allCases.filter(
    (c) => c.op === op && (own !== undefined || c.versions.includes(version)) && c.shape.includes(shape),
  );
}

/** Every version of the table by its name, such as `matmul.gemv`; a lab's goes without its mark. */
export function knownNames(): Map<string, { readonly op: string; readonly version: string }> {
  const known = new Map<string, { op: string; version: string }>();
  for (const { op, versions } of allCases)
    // sample's versions carry the op's name.
    for (const version of versions) known.set(`${op}.${shortOf(version).replace(`${op}.`, "")}`, { op, version });
  return known;
}

/**
 * Op and version of a name of {@link knownNames}, or of an own kernel.
 * @param own versions that `--with` names.
 * @throws EngineError `usage` for an op, a version or a shape that there is not.
 */
export function readName(
  name: string,
  shape: string,
  own: { readonly given: string; readonly versions: readonly string[] } | undefined,
): Pick<ExplainJob, "op" | "version" | "own"> {
  const known = new Map<string, Pick<ExplainJob, "op" | "version" | "own">>(knownNames());
  for (const { op } of own === undefined ? [] : allCases)
    for (const version of own?.versions ?? []) known.set(`${op}.${shortOf(version)}`, { op, version, own: own?.given });
  const found = known.get(name);
  if (found === undefined)
    throw new EngineError("usage", "no such version", {
      where: name,
      fix: didYouMean(name, known.keys()) ?? `OP.VERSION, one of ${[...known.keys()].join(", ")}`,
    });
  if (explainedCases({ ...found, shape }).length > 0) return found;
  throw new EngineError("usage", "no such shape", {
    where: `--shape ${shape}`,
    fix: `a part of one of: ${explainedCases({ ...found, shape: "" })
      .map((kernelCase) => kernelCase.shape)
      .join("; ")}`,
  });
}

/** Without the mark of the lab and of own kernels. */
function shortOf(version: string): string {
  return version.replace(/ \((lab|own)\)$/, "");
}
