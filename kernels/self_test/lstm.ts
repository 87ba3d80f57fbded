import { createLstmLayer, lstmSteps, lstmVersions } from "../lstm/lstm.ts";
import { lstmReference } from "../lstm/reference.ts";
import { matmul } from "../matmul/matmul.ts";
import { rounding, type Case } from "./case.ts";
import { noise } from "./noise.ts";

/** Three steps; the gates come from a product, as in the model. */
function recurrence(version: keyof typeof lstmVersions): Case {
  const [steps, input, hidden] = [3, 5, 37];
  return {
    kernel: lstmVersions[version],
    tolerance: rounding,
    record(bench) {
      const x = noise(steps * input, 1);
      const weightIh = noise(4 * hidden * input, 2, 0.5);
      const weightHh = noise(4 * hidden * hidden, 3, 0.2);
      const [biasIh, biasHh] = [noise(4 * hidden, 4, 0.5), noise(4 * hidden, 5, 0.5)];

      const weights = { weightIh, weightHh, biasIh, biasHh };
      const layer = createLstmLayer(bench.gpu, weights, hidden, "self test", bench.format);
      for (const tensor of [layer.input.weight, layer.input.bias, layer.recurrent]) if (tensor) bench.own(tensor);
      const gates = bench.f32(new Float32Array(steps * 4 * hidden));
      const h = bench.f32(new Float32Array(steps * hidden));
      const c = bench.f32(new Float32Array(hidden));
      matmul(bench.program, bench.f32(x), layer.input, gates);
      lstmSteps(bench.program, gates, layer, h, c, { first: 0, end: steps }, version);

      const stored = { biasIh, biasHh, weightIh: bench.stored(weightIh), weightHh: bench.stored(weightHh) };
      return [[h, lstmReference(x, stored, hidden)]];
    },
  };
}

export const lstmCases = [recurrence("thread"), recurrence("split")];
