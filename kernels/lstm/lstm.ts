import type { Gpu } from "../../engine/gpu.ts";
import { defineKernel, read, readWrite } from "../../engine/kernel.ts";
import type { Program } from "../../engine/program.ts";
import type { WeightFormat } from "../../engine/shader_source.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { chooseLstm } from "../choose.ts";
import { checkWeightSize } from "../conv1d/conv1d.ts";
import { expm1Prelude } from "../elementwise/elementwise.ts";
import { createLinear, createWeights, disposeLinear, type Linear } from "../matmul/linear.ts";
import { transposePadded } from "../matmul/pack.ts";

const preludes = [expm1Prelude, new URL("./cell.wgsl", import.meta.url)];
const bindings = { gates: read("f32"), weight: read("weight"), h: readWrite("f32"), c: readWrite("f32") };
const params = { step: "u32", hidden: "u32" } as const;

export const lstmThread = defineKernel({
  name: "lstm.thread",
  source: new URL("./lstm.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  workgroups: ({ hidden }) => [Math.ceil(hidden / 32)],
});

export const lstmSplit = defineKernel({
  name: "lstm.split",
  source: new URL("./lstm_split.wgsl", import.meta.url),
  preludes,
  bindings,
  params,
  workgroups: ({ hidden }) => [Math.ceil(hidden / 8)],
});

export const lstmVersions = { thread: lstmThread, split: lstmSplit };

/** One layer of an LSTM on the GPU. */
export interface LstmLayer {
  readonly hidden: number;
  /** x -> gates [hidden, 4] with both biases, the four gates (i, f, g, o) of a unit side by side. */
  readonly input: Linear;
  /** [hidden, hidden * 4]: row k, then unit, then gate. */
  readonly recurrent: Tensor<"f32"> | Tensor<"f16">;
}

/** One layer as checkpoints (torch) store it, gates i, f, g, o one after another. */
export interface LstmWeights {
  /** [4 * hidden, input] */
  readonly weightIh: Float32Array;
  /** [4 * hidden, hidden] */
  readonly weightHh: Float32Array;
  /** [4 * hidden] each */
  readonly biasIh: Float32Array;
  readonly biasHh: Float32Array;
}

export function createLstmLayer(
  gpu: Gpu,
  weights: LstmWeights,
  hidden: number,
  label: string,
  format?: WeightFormat,
): LstmLayer {
  checkWeightSize(weights.weightHh, [4 * hidden, hidden], `${label}.weight_hh`);
  const input = weights.weightIh.length / (4 * hidden);
  const bias = interleaveGates(
    weights.biasIh.map((value, i) => value + weights.biasHh[i]),
    hidden,
  );
  const recurrent = transposePadded(interleaveGates(weights.weightHh, hidden), 4 * hidden, hidden);
  return {
    hidden,
    input: createLinear(gpu, interleaveGates(weights.weightIh, hidden), 4 * hidden, input, `${label}.weight_ih`, {
      bias,
      ...(format === undefined ? {} : { format }),
    }),
    recurrent: createWeights(gpu, recurrent, [hidden, 4 * hidden], `${label}.weight_hh`, format),
  };
}

/** Rows in order [gate, unit] to rows in order [unit, gate]. */
function interleaveGates(values: Float32Array, hidden: number): Float32Array<ArrayBuffer> {
  const width = values.length / (4 * hidden);
  const result = new Float32Array(values.length);
  for (let gate = 0; gate < 4; gate++)
    for (let unit = 0; unit < hidden; unit++) {
      const from = (gate * hidden + unit) * width;
      result.set(values.subarray(from, from + width), (unit * 4 + gate) * width);
    }
  return result;
}

export function disposeLstmLayer(layer: LstmLayer): void {
  disposeLinear(layer.input);
  layer.recurrent.dispose();
}

/**
 * Records steps [first, end) of a layer, in order from step 0. gates: [steps, hidden * 4], the product of the input with
 * `layer.input`; h: [steps, hidden], the output; c: [hidden], the cell state. Step 0 starts from a state of zero.
 */
export function lstmSteps(
  program: Program,
  gates: Tensor<"f32">,
  layer: LstmLayer,
  h: Tensor<"f32">,
  c: Tensor<"f32">,
  range: { first: number; end: number },
  version: keyof typeof lstmVersions = chooseLstm(program.gpu),
): void {
  const { hidden, recurrent: weight } = layer;
  for (let step = range.first; step < range.end; step++)
    program.dispatch(lstmVersions[version], { gates, weight, h, c }, { step, hidden });
}
