import type { Gpu } from "../../../engine/gpu.ts";
import type { AnyKernel, Constants, ParamsOf, ParamTypes, TensorsOf, Bindings } from "../../../engine/kernel.ts";
import type { Program } from "../../../engine/program/program.ts";

/** One call of `program.dispatch`. */
export interface Call {
  readonly kernel: AnyKernel;
  readonly tensors: TensorsOf<Bindings>;
  readonly params: ParamsOf<ParamTypes>;
  readonly constants: Partial<Constants>;
}

/** A program whose dispatches go to `take` instead: what an op records, without a change in the op. */
export function diverted(program: Program, take: (call: Call) => void): Program {
  const dispatch = (
    kernel: AnyKernel,
    tensors: Call["tensors"],
    params: Call["params"],
    constants: Call["constants"] = {},
  ): void => take({ kernel, tensors, params, constants });
  return new Proxy(program, {
    get: (target, name) => {
      if (name === "dispatch") return dispatch;
      // The private fields of a program belong to the program, not to its proxy.
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });
}

/** The dispatches that `record` records, without compiling or running any. */
export function callsOf(gpu: Gpu, record: (program: Program) => void): Call[] {
  const calls: Call[] = [];
  const program = gpu.program("bench calls");
  try {
    record(diverted(program, (call) => calls.push(call)));
  } finally {
    program.dispose();
  }
  return calls;
}

/** Records a call with other tensors besides, or by another kernel of the same declaration. */
export function dispatchAs(
  program: Program,
  kernel: AnyKernel,
  { tensors, params, constants }: Call,
  extra: Call["tensors"] = {},
): void {
  const declared = Object.entries(constants).filter(([name]) => Object.hasOwn(kernel.constants ?? {}, name));
  program.dispatch(kernel, { ...tensors, ...extra }, params, Object.fromEntries(declared));
}
