/** The part of `bench kernels --in-chromium` that runs in the page. */
import "../../checkpoint/web/index.ts";
import "../../engine/web/index.ts";
import { openGpu } from "../../engine/gpu.ts";
import { runKernels, type KernelMeasurements, type KernelSelection } from "./run_all.ts";
import { resultLine, rooflineLine } from "./table.ts";

export interface PageMeasurements extends KernelMeasurements {
  readonly adapter: string;
  readonly software: boolean;
  readonly features: readonly string[];
}

/** Lines for people go to the console as they come. */
export async function runInPage(selection: KernelSelection): Promise<PageMeasurements> {
  const gpu = await openGpu();
  try {
    const measured = await runKernels(gpu, selection, {
      onRoofline: (roofline) => console.log(rooflineLine(roofline)),
      onResult: (...rungs) => console.log(resultLine(...rungs)),
    });
    return { ...measured, adapter: gpu.adapterName, software: gpu.isSoftware, features: [...gpu.features].sort() };
  } finally {
    gpu.dispose();
  }
}

Object.assign(globalThis, { runInPage });
