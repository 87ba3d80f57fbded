import type { ExplainedKernel } from "../explain/driver_texts.ts";

/** `bench/explained.json`: what drivers make of each version, by its name such as `matmul.gemv`. */
export type Explained = Record<
  string,
  {
    readonly adapter: string;
    readonly kernels: readonly (Pick<ExplainedKernel, "kernel"> & {
      readonly stages: readonly Pick<ExplainedKernel["stages"][number], "name" | "counts">[];
    })[];
  }
>;
