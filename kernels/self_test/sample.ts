import { sampleReference } from "../sample/reference.ts";
import { sampleRows, sampleStep, type SampleOptions } from "../sample/sample.ts";
import { sampleRowsKernel, sampleStepKernel } from "../sample/versions.ts";
import type { SelfTestCase } from "./case.ts";
import { noise } from "./noise.ts";

const vocabulary = 133;
const ranges = [
  [3, 90],
  [100, 131],
] as const;
const greedy: SampleOptions = { ranges, greedy: true };
/** With this seed no draw is a near tie, which f32 could decide otherwise. */
const drawn: SampleOptions = { ranges, greedy: false, temperature: 0.7, topK: 40, topP: 0.9, seed: 0x123456789abn };

/** Lanes that share a row, on software adapters and on GPUs. */
const lanesOfAdapters = [64, 256] as const;

/** The id that the reference picks from one row of logits. */
function pick(logits: Float32Array, options: SampleOptions, row: number, step: number): number {
  return sampleReference(logits.subarray(row * vocabulary, (row + 1) * vocabulary), options, { row, step }).id;
}

/** Picks the largest, and draws, from each of five rows. */
const independentRows: SelfTestCase = {
  kernel: sampleRowsKernel,
  tolerance: 0,
  record(scope) {
    const rows = 5;
    const logits = noise(rows * vocabulary, 1, 4);
    const given = scope.f32(logits);
    const picks = [greedy, drawn];
    const ids = Array.from({ length: rows }, (_, row) => picks.map((options) => pick(logits, options, row, 0))).flat();
    return lanesOfAdapters.map((lanes) => {
      const tensors = { logits: given, out: scope.u32(new Uint32Array(rows * 2)) };
      for (const [first, options] of picks.entries())
        sampleRows(scope.commands, tensors, { rows, vocabulary, first, stride: 2 }, options, lanes);
      return [tensors.out, ids];
    });
  },
};

/** Steps of three rows at different positions; the last row has finished before. */
const decodeStep: SelfTestCase = {
  kernel: sampleStepKernel,
  tolerance: 0,
  record(scope) {
    const [rows, capacity, pad] = [3, 4, 140];
    const logits = noise(rows * vocabulary, 2, 4);
    const options = { ...drawn, eos: 130, pad };
    const given = scope.f32(logits);
    const [first, second] = [pick(logits, options, 0, 1), pick(logits, options, 1, 3)];
    const states = Uint32Array.of(first, 21, 2, 0, second, 31, 4, 0, pad, 41, 3, 1);
    const written = new Uint32Array(rows * capacity);
    written.set([first], 1);
    written.set([second], capacity + 3);
    written.set([pad], 2 * capacity + 2);
    return lanesOfAdapters.flatMap((lanes) => {
      // Token, position, step and done of each row (kernels/decode_state.ts).
      const state = scope.u32(Uint32Array.of(9, 20, 1, 0, 9, 30, 3, 0, 9, 40, 2, 1));
      const tokens = scope.u32(new Uint32Array(rows * capacity));
      sampleStep(scope.commands, { logits: given, state, tokens }, { rows, vocabulary, capacity }, options, lanes);
      return [
        [state, states],
        [tokens, written],
      ];
    });
  },
};

export const sampleCases = [independentRows, decodeStep];
