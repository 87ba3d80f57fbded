import type { Gpu } from "../../../engine/gpu.ts";
import {
  createLstmLayer,
  disposeLstmLayer,
  lstmSteps,
  lstmVersions,
  type LstmWeights,
} from "../../../kernels/lstm/lstm.ts";
import { lstmReference } from "../../../kernels/lstm/reference.ts";
import { matmul } from "../../../kernels/matmul/matmul.ts";
import { expectClose, noise } from "../../support/close.ts";
import { sharedGpu } from "../../support/gpu.ts";

type Version = keyof typeof lstmVersions;

describe("lstm", () => {
  let gpu: Gpu;
  before(async () => {
    gpu = await sharedGpu();
  });

  async function check(steps: number, input: number, hidden: number, version: Version, scale = 0.5): Promise<void> {
    const x = noise(steps * input, 1);
    const weights: LstmWeights = {
      weightIh: noise(4 * hidden * input, 2, scale),
      weightHh: noise(4 * hidden * hidden, 3, scale),
      biasIh: noise(4 * hidden, 4, scale),
      biasHh: noise(4 * hidden, 5, scale),
    };
    const layer = createLstmLayer(gpu, weights, hidden, "lstm");
    const tensors = {
      x: gpu.tensorFrom("f32", [steps, input], x, "x"),
      gates: gpu.tensor("f32", [steps, 4 * hidden], "gates"),
      // Step 0 must not read what is left here.
      h: gpu.tensorFrom("f32", [steps, hidden], noise(steps * hidden, 6, 1e6), "h"),
      c: gpu.tensorFrom("f32", [hidden], noise(hidden, 7, 1e6), "c"),
    };
    const program = gpu.program("lstm");
    matmul(program, tensors.x, layer.input, tensors.gates);
    lstmSteps(program, tensors.gates, layer, tensors.h, tensors.c, { first: 0, end: steps }, version);
    await program.run();
    const result = await tensors.h.read();
    program.dispose();
    disposeLstmLayer(layer);
    for (const tensor of Object.values(tensors)) tensor.dispose();
    expectClose(result, lstmReference(x, weights, hidden), { absolute: 5e-6 }, `${version} ${steps} x ${hidden}`);
  }

  for (const version of Object.keys(lstmVersions) as Version[]) {
    for (const steps of [1, 2, 6, 7, 40])
      for (const [input, hidden] of [
        [1, 1],
        [5, 3],
        [7, 33],
        [64, 64],
      ])
        it(`${version}: ${steps} steps, ${input} -> ${hidden}`, () =>
          check(steps, input, hidden, version, 1 / Math.sqrt(hidden)));

    it(`${version}: gates far beyond saturation stay finite`, () => check(4, 3, 5, version, 200));
  }
});
