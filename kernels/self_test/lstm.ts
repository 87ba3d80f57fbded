import { into } from "../../engine/program/recorder.ts";
import { createLstm, lstm, lstmChunk, type LstmWeights } from "../lstm/lstm.ts";
import { lstmReference } from "../lstm/reference.ts";
import { lstmVersions, type LstmVersion } from "../lstm/versions.ts";
import { rounding, type SelfTestCase } from "./case.ts";
import { noise } from "./noise.ts";

/** Two layers over one step more than a chunk, so that each runs alone and both at once. */
function recurrence(version: LstmVersion): SelfTestCase {
  const [steps, input, hidden] = [lstmChunk + 1, 5, 37];
  return {
    kernel: lstmVersions[version].kernels[0],
    tolerance: rounding,
    record(scope) {
      const x = noise(steps * input, 1);
      const layers = [input, hidden].map((width, i): LstmWeights & { weightIh: Float32Array<ArrayBuffer> } => ({
        weightIh: scope.stored(noise(4 * hidden * width, 5 * i + 2, 0.3)),
        weightHh: scope.stored(noise(4 * hidden * hidden, 5 * i + 3, 0.2)),
        biasIh: noise(4 * hidden, 5 * i + 4, 0.5),
        biasHh: noise(4 * hidden, 5 * i + 5, 0.5),
      }));
      const onGpu = createLstm(scope, layers, hidden, "self test", scope.format);
      const gates = (): ReturnType<typeof scope.f32> => scope.f32(new Float32Array(lstmChunk * 4 * hidden));
      const h = scope.f32(new Float32Array(2 * steps * hidden));
      const buffers = { gates: [gates(), gates()] as const, h, c: scope.f32(new Float32Array(2 * hidden)) };
      lstm(into(scope.commands), scope.f32(x), steps, onGpu, buffers, version);

      // The first layer's output stays in the second half.
      const first = lstmReference(x, layers[0], hidden);
      return [[h, [...lstmReference(first, layers[1], hidden), ...first]]];
    },
  };
}

export const lstmCases = [recurrence("thread"), recurrence("split")];
