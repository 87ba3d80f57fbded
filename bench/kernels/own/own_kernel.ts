import { didYouMean } from "../../../engine/check/nearest_name.ts";
import { EngineError } from "../../../engine/errors.ts";
import type { Gpu } from "../../../engine/gpu.ts";
import type { AnyKernel, Binding } from "../../../engine/kernel.ts";
import type { Program } from "../../../engine/program/program.ts";
import type { KernelCase, PreparedCase } from "../cases/case.ts";
import { callsOf, dispatchAs, diverted, type Call } from "./recording.ts";

/** A kernel from outside the repository: a declaration of its own, or a shader under the declaration of a version. */
export type OwnKernel =
  | { readonly version: string; readonly kernel: AnyKernel }
  | { readonly version: string; readonly like: string; readonly source: URL };

/** An own kernel in the place of one that some version of an op dispatches. */
export interface OwnRung {
  readonly version: string;
  readonly kernel: AnyKernel;
  readonly record: (program: Program, copy: number) => void;
  /** As `record`, with another kernel of the same declaration and one more tensor. */
  readonly recordAs: (program: Program, kernel: AnyKernel, extra: Call["tensors"]) => void;
}

/** The rung of an own kernel in a case, or `undefined` if no version there has its declaration. */
export function fitOwn(
  gpu: Gpu,
  { versions, op }: KernelCase,
  prepared: PreparedCase,
  own: OwnKernel,
): OwnRung | undefined {
  for (const version of versions) {
    if ("like" in own && own.like !== version) continue;
    const replaced = replacedBy(gpu, prepared, version, own);
    if (replaced === undefined) continue;
    const kernel =
      "kernel" in own
        ? // A name of the library's would find the library's pipeline.
          { ...own.kernel, name: `${own.kernel.name} (own)` }
        : { ...replaced, name: `${op}.${own.version}`, source: own.source };
    const recordWith = (program: Program, copy: number, by: AnyKernel, extra: Call["tensors"]): void =>
      prepared.record(
        diverted(program, (call) =>
          call.kernel === replaced
            ? dispatchAs(program, by, call, extra)
            : program.dispatch(call.kernel, call.tensors, call.params, call.constants),
        ),
        version,
        copy,
      );
    return {
      version: own.version,
      kernel,
      record: (program, copy) => recordWith(program, copy, kernel, {}),
      recordAs: (program, by, extra) => recordWith(program, 0, by, extra),
    };
  }
  return undefined;
}

/** The kernel of a version in whose place an own one can stand. */
function replacedBy(gpu: Gpu, prepared: PreparedCase, version: string, own: OwnKernel): AnyKernel | undefined {
  let calls: Call[];
  try {
    calls = callsOf(gpu, (program) => prepared.record(program, version, 0));
  } catch {
    return undefined; // This version cannot do the shape.
  }
  if ("like" in own) return calls[0]?.kernel;
  const wanted = signatureOf(own.kernel);
  return calls.find(({ kernel }) => signatureOf(kernel) === wanted)?.kernel;
}

/** What two kernels have to share so that one can stand for the other. */
export function signatureOf({ bindings, params }: AnyKernel): string {
  const bound = Object.entries(bindings as Record<string, Binding>).map(
    ([name, { access, dtype }]) => `${name}: ${access} ${dtype}`,
  );
  const given = Object.entries(params as Record<string, string>).map(([name, type]) => `${name}: ${type}`);
  return `bindings { ${bound.join(", ")} }, params { ${given.join(", ")} }`;
}

/** Why an own kernel can stand for no version of a case: one line. */
export function misfitOf(gpu: Gpu, { versions, op }: KernelCase, prepared: PreparedCase, own: OwnKernel): string {
  if ("like" in own)
    return new EngineError("usage", `${op} has no version "${own.like}" here`, {
      where: `--with ${own.like}=`,
      expected: versions.join(", "),
      actual: own.like,
      fix: didYouMean(own.like, versions) ?? "name one of these",
    }).toLine();
  const calls = versions.flatMap((version) => {
    try {
      return callsOf(gpu, (program) => prepared.record(program, version, 0));
    } catch {
      return []; // This version cannot do the shape.
    }
  });
  return new EngineError("usage", `declares what no version of ${op} does`, {
    where: own.kernel.name,
    expected: [...new Set(calls.map(({ kernel }) => signatureOf(kernel)))].join(" or "),
    actual: signatureOf(own.kernel),
    fix: "change `bindings` and `params`, names and order included, or name its op and shape",
  }).toLine();
}
