import { Scope } from "../../../engine/scope.ts";
import type { Gpu } from "../../../engine/gpu.ts";
import { into } from "../../../engine/program/recorder.ts";
import { createLstm, lstm, lstmChunk, type LstmWeights } from "../../../kernels/lstm/lstm.ts";
import { lstmReference } from "../../../kernels/lstm/reference.ts";
import { lstmVersions, type LstmVersion } from "../../../kernels/lstm/versions.ts";
import { expectClose, noise } from "../../support/close.ts";
import { sharedGpu } from "../../support/gpu.ts";

interface Case {
  steps: number;
  input: number;
  hidden: number;
  layers: number;
  scale?: number;
}

describe("lstm", () => {
  let gpu: Gpu;
  before(async () => {
    gpu = await sharedGpu();
  });

  async function check(version: LstmVersion, { steps, input, hidden, layers, scale }: Case): Promise<void> {
    const range = scale ?? 1 / Math.sqrt(hidden);
    const x = noise(steps * input, 1);
    const weights = Array.from({ length: layers }, (_, i): LstmWeights => ({
      weightIh: noise(4 * hidden * (i === 0 ? input : hidden), 4 * i + 2, range),
      weightHh: noise(4 * hidden * hidden, 4 * i + 3, range),
      biasIh: noise(4 * hidden, 4 * i + 4, range),
      biasHh: noise(4 * hidden, 4 * i + 5, range),
    }));
    const scope = new Scope(gpu);
    const onGpu = createLstm(scope, weights, hidden, "lstm");
    // Step 0 must not read what is left here.
    const leftOver = (size: number, seed: number) => gpu.tensorFrom("f32", [size], noise(size, seed, 1e6), "left over");
    const source = gpu.tensorFrom("f32", [steps, input], x, "x");
    const gates = [leftOver(lstmChunk * 4 * hidden, 90), leftOver(lstmChunk * 4 * hidden, 91)] as const;
    const [h, c] = [leftOver(2 * steps * hidden, 92), leftOver(2 * hidden, 93)];
    const program = gpu.program("lstm");
    lstm(into(program), source, steps, onGpu, { gates, h, c }, version);
    await program.run();
    const result = await h.read(0, steps * hidden);
    program.dispose();
    scope.dispose();
    for (const tensor of [source, ...gates, h, c]) tensor.dispose();
    const expected = weights.reduce<ArrayLike<number>>((input, layer) => lstmReference(input, layer, hidden), x);
    expectClose(result, expected, { absolute: 5e-6 }, `${version} ${steps} x ${hidden}`);
  }

  for (const version of Object.keys(lstmVersions) as LstmVersion[]) {
    for (const steps of [1, 2, 6, 7, 40])
      for (const [input, hidden] of [
        [1, 1],
        [5, 3],
        [7, 33],
        [64, 64],
      ])
        it(`${version}: ${steps} steps, ${input} -> ${hidden}`, () =>
          check(version, { steps, input, hidden, layers: 1 }));

    for (const layers of [1, 2, 3, 4])
      for (const steps of [1, lstmChunk - 1, lstmChunk, lstmChunk + 1, 2 * lstmChunk + 5])
        it(`${version}: ${layers} layers, ${steps} steps`, () =>
          check(version, { steps, input: 6, hidden: 12, layers }));

    it(`${version}: gates far beyond saturation stay finite`, () =>
      check(version, { steps: 4, input: 3, hidden: 5, layers: 2, scale: 200 }));
  }
});
