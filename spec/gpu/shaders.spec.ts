import { expect } from "chai";
import type { Gpu } from "../../engine/gpu.ts";
import { allKernels } from "../../kernels/index.ts";
import { labKernels } from "../../kernels/lab.ts";
import { sharedGpu } from "../support/gpu.ts";
import { compileKernel, formatsOf } from "../support/compile.ts";
import { engineErrorOf } from "../support/rejection.ts";

const kernels = [...allKernels, ...labKernels];

// In Node and Chromium Tint reads the shaders, in Deno Naga.
describe("shaders on this device", () => {
  let gpu: Gpu;
  before(async () => {
    gpu = await sharedGpu();
  });

  for (const kernel of kernels)
    for (const format of formatsOf(kernel))
      it(`compiles ${kernel.name} (${format}), or names the feature that is missing`, async function () {
        const missing = kernel.features?.find((feature) => !gpu.features.has(feature));
        if (missing !== undefined) {
          const error = await engineErrorOf(() => compileKernel(gpu, kernel, format));
          return void expect(error.toLine()).include(`needs the feature ${missing}`);
        }
        // A device with subgroup matrices has some sizes and not others.
        if (kernel.subgroupMatrix !== undefined && !gpu.supports(kernel)) return this.skip();
        const { pipeline } = await compileKernel(gpu, kernel, format);
        expect(pipeline.label).equal(kernel.name);
        gpu.check();
      });

  it("has no two kernels of one name, since pipelines are kept by name", () => {
    const names = kernels.map((kernel) => kernel.name);
    expect(new Set(names).size).equal(names.length);
  });
});
