import type { MatrixFormat } from "../../engine/dtypes.ts";
import { didYouMean } from "../../engine/check/nearest_name.ts";
import { EngineError } from "../../engine/errors.ts";
import { allCases } from "../kernels/cases.ts";
import type { KernelCase } from "../kernels/case.ts";

/** What the process that explains is told. */
export interface ExplainJob {
  readonly op: string;
  readonly version: string;
  /** A part of the shape's description; empty: the first at which the version runs. */
  readonly shape: string;
  readonly format: MatrixFormat;
  readonly device: string | undefined;
}

/** Parts what drivers print about one kernel from the next. */
export const marker = "=== bark explain: ";

/** Told to the process that explains once its answer has arrived. */
export const ended = "end";

/** The cases of a version; of a lab's version, its name without the mark is enough. */
export function explainedCases(op: string, version: string, shape: string): KernelCase[] {
  return allCases.filter((c) => c.op === op && c.versions.includes(version) && c.shape.includes(shape));
}

/** @throws EngineError `usage` for an op, a version or a shape that there is not. */
export function readName(name: string, shape: string): Pick<ExplainJob, "op" | "version"> {
  const known = new Map<string, { op: string; version: string }>();
  for (const { op, versions } of allCases)
    for (const version of versions) {
      // sample's versions carry the op's name.
      const short = version.replace(/ \(lab\)$/, "").replace(`${op}.`, "");
      known.set(`${op}.${short}`, { op, version });
    }
  const found = known.get(name);
  if (found === undefined)
    throw new EngineError("usage", "no such version", {
      where: name,
      fix: didYouMean(name, known.keys()) ?? `OP.VERSION, one of ${[...known.keys()].join(", ")}`,
    });
  if (explainedCases(found.op, found.version, shape).length > 0) return found;
  throw new EngineError("usage", "no such shape", {
    where: `--shape ${shape}`,
    fix: `a part of one of: ${explainedCases(found.op, found.version, "")
      .map((kernelCase) => kernelCase.shape)
      .join("; ")}`,
  });
}
