import { expect } from "chai";
import { Gpu } from "../../engine/gpu.ts";
import { dawn, enabling } from "../../engine/node/dawn.ts";
import { openNullAdapter } from "../../engine/node/index.ts";
import { loadShader } from "../../engine/shaders/shader_source.ts";
import { allKernels } from "../../kernels/index.ts";
import { labKernels } from "../../kernels/lab.ts";
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

describe("shaders of the labs on Dawn's null backend, which has every feature", () => {
  let gpu: Gpu;
  before(async () => {
    const owner = await dawn(["backend=null", enabling("allow_unsafe_apis")]);
    gpu = await Gpu.fromAdapter({ adapter: (await owner.requestAdapter())!, owner }, "node");
  });
  after(() => gpu.dispose());

  for (const kernel of labKernels)
    for (const format of formatsOf(kernel))
      it(`compiles ${kernel.name} (${format}) without a warning`, async () => {
        await compileKernel(gpu, kernel, format);
        const module = gpu.device.createShaderModule({ code: (await loadShader(kernel, format)).text });
        expect((await module.getCompilationInfo()).messages.map(({ message }) => message)).deep.equal([]);
        gpu.check();
      });
});
