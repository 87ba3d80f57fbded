import { expect } from "chai";
import { Gpu } from "../../engine/gpu.ts";
import { openNullAdapter } from "../../engine/node/index.ts";
import { allKernels } from "../../kernels/index.ts";
import { compileKernel, formatsOf } from "../support/compile.ts";

// No driver is behind the null backend: what compiles here depends on no adapter.
describe("shaders on Dawn's null backend", () => {
  let gpu: Gpu;
  before(async () => {
    gpu = await Gpu.fromAdapter(await openNullAdapter(), "node");
  });
  after(() => gpu.dispose());

  for (const kernel of allKernels)
    for (const format of formatsOf(kernel))
      it(`compiles ${kernel.name} (${format})`, async () => {
        const { pipeline } = await compileKernel(gpu, kernel, format);
        expect(pipeline.label).equal(kernel.name);
        gpu.check();
      });
});
