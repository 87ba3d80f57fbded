import { into } from "../../engine/recorder.ts";
import { createLstm, lstm, lstmChunk, lstmVersions, type LstmVersion, type LstmWeights } from "../lstm/lstm.ts";
import { lstmReference } from "../lstm/reference.ts";
import { rounding, type Case } from "./case.ts";
import { noise } from "./noise.ts";

/** Two layers over one step more than a chunk, so that each runs alone and both at once. */
function recurrence(version: LstmVersion): Case {
  const [steps, input, hidden] = [lstmChunk + 1, 5, 37];
  return {
    kernel: lstmVersions[version],
    tolerance: rounding,
    record(bench) {
      const x = noise(steps * input, 1);
      const layers = [input, hidden].map((width, i): LstmWeights & { weightIh: Float32Array<ArrayBuffer> } => ({
        weightIh: bench.stored(noise(4 * hidden * width, 5 * i + 2, 0.3)),
        weightHh: bench.stored(noise(4 * hidden * hidden, 5 * i + 3, 0.2)),
        biasIh: noise(4 * hidden, 5 * i + 4, 0.5),
        biasHh: noise(4 * hidden, 5 * i + 5, 0.5),
      }));
      const onGpu = createLstm(bench, layers, hidden, "self test", bench.format);
      const gates = (): ReturnType<typeof bench.f32> => bench.f32(new Float32Array(lstmChunk * 4 * hidden));
      const h = bench.f32(new Float32Array(2 * steps * hidden));
      const buffers = { gates: [gates(), gates()] as const, h, c: bench.f32(new Float32Array(2 * hidden)) };
      lstm(into(bench.commands), bench.f32(x), steps, onGpu, buffers, version);

      // The first layer's output stays in the second half.
      const first = lstmReference(x, layers[0], hidden);
      return [[h, [...lstmReference(first, layers[1], hidden), ...first]]];
    },
  };
}

export const lstmCases = [recurrence("thread"), recurrence("split")];
