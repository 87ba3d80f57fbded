import type { Tensor } from "./tensor.ts";
import type { KernelNeeds } from "./device/device.ts";
import type { Dtype } from "./dtypes.ts";

/**
 * dtype of a binding. `weight` takes f32 or packed f16, `matrix` those or q8 in blocks of 4 by 4 values; both get their
 * load functions from the format's prelude.
 */
export type BindingDtype = "f32" | "u32" | "i32" | "weight" | "matrix";
export type Access = "read" | "read_write";

export interface Binding<
  D extends BindingDtype = BindingDtype,
  A extends Access = Access,
  O extends boolean = boolean,
> {
  readonly dtype: D;
  readonly access: A;
  /** May be left out of a call: then a placeholder is bound, and a flag in params keeps the shader from reading it. */
  readonly optional: O;
}

export const read = <D extends BindingDtype>(dtype: D): Binding<D, "read", false> => ({
  dtype,
  access: "read",
  optional: false,
});
export const optionalRead = <D extends BindingDtype>(dtype: D): Binding<D, "read", true> => ({
  dtype,
  access: "read",
  optional: true,
});
export const readWrite = <D extends BindingDtype>(dtype: D): Binding<D, "read_write", false> => ({
  dtype,
  access: "read_write",
  optional: false,
});

export type Bindings = Readonly<Record<string, Binding>>;
export type ParamType = "u32" | "i32" | "f32";
export type ParamTypes = Readonly<Record<string, ParamType>>;
export type Constants = Readonly<Record<string, number>>;
export type Workgroups = readonly [x: number, y?: number, z?: number];

type TensorFor<D extends BindingDtype> = D extends "weight"
  ? Tensor<"f32"> | Tensor<"f16">
  : D extends "matrix"
    ? Tensor<"f32"> | Tensor<"f16"> | Tensor<"q8">
    : Tensor<Extract<D, Dtype>>;

/** The tensors that a call of a kernel with these bindings takes. */
export type TensorsOf<B extends Bindings> = {
  readonly [K in keyof B as B[K]["optional"] extends true ? never : K]: TensorFor<B[K]["dtype"]>;
} & {
  readonly [K in keyof B as B[K]["optional"] extends true ? K : never]?: TensorFor<B[K]["dtype"]> | undefined;
};
export type ParamsOf<P extends ParamTypes> = { readonly [K in keyof P]: number };

export interface KernelDeclaration<B extends Bindings, P extends ParamTypes, C extends Constants> extends KernelNeeds {
  /** Unique, `op` or `op.version`. */
  readonly name: string;
  readonly source: URL;
  /** Files put before the source (shared functions). */
  readonly preludes?: readonly URL[];
  /** Storage bindings, numbered in this order in group 0; the params struct comes last, as a uniform. */
  readonly bindings: B;
  /** Fields of `struct Params`, in order. */
  readonly params: P;
  /** Values of the shader's `override` constants. */
  readonly constants?: C;
  /** Number of workgroups for given params. */
  readonly workgroups: (params: ParamsOf<P>, constants: C) => Workgroups;
}

export type Kernel<
  B extends Bindings = Bindings,
  P extends ParamTypes = ParamTypes,
  C extends Constants = Constants,
> = KernelDeclaration<B, P, C>;

/** A kernel of any declaration, where only its name and files matter. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the parameter of `workgroups` is contravariant
export type AnyKernel = Kernel<any, any, any>;

/** Declares a kernel; the types of every call follow from the declaration. */
export function defineKernel<const B extends Bindings, const P extends ParamTypes, C extends Constants = Constants>(
  declaration: KernelDeclaration<B, P, C>,
): Kernel<B, P, C> {
  return declaration;
}

/** Spreads `count` workgroups over x and y where x alone would pass the limit of 65,535 a dimension. */
export function workgroupsOverXY(count: number): Workgroups {
  const x = Math.min(count, 65535);
  return [x, Math.ceil(count / x)];
}
