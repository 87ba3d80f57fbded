import type { Recording } from "../../engine/program/recorder.ts";
import type { TensorMaker } from "../../engine/scope.ts";
import type { WeightFormat } from "../../engine/dtypes.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { chooseLstm } from "../choose.ts";
import { checkWeightSize } from "../conv1d/conv1d.ts";
import { createLinear, createWeights, type Linear } from "../matmul/linear.ts";
import { matmul } from "../matmul/matmul.ts";
import { lstmVersions, noStep, type LstmVersion } from "./versions.ts";

/**
 * Steps whose gates one matrix product computes, and the lag of a pair's second layer behind its first. It bounds the memory
 * of the gates, and gives the product rows enough for a GEMM.
 */
export const lstmChunk = 64;

/** Units whose recurrent weights lie together, so that a workgroup reads one stretch of memory (cell.wgsl). */
const blockUnits = 32;

/** One or two layers that run at once. */
interface LstmPair {
  /** x -> gates [hidden, 4] with both biases, the four gates (i, f, g, o) of a unit side by side. */
  readonly inputs: readonly Linear[];
  /** [layers, blocks, hidden, blockUnits * 4]: layer, block of units, row k, unit of the block, gate. */
  readonly recurrent: Tensor<"f32"> | Tensor<"f16">;
}

/** Stacked layers of an LSTM on the GPU. */
export interface Lstm {
  readonly hidden: number;
  readonly pairs: readonly LstmPair[];
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

/** Puts layers on the GPU. @param layers the first takes the input. */
export function createLstm(
  maker: TensorMaker,
  layers: readonly LstmWeights[],
  hidden: number,
  label: string,
  format?: WeightFormat,
): Lstm {
  const pairs: LstmPair[] = [];
  for (let first = 0; first < layers.length; first += 2) {
    const pair = layers.slice(first, first + 2);
    const blocks = Math.ceil(hidden / blockUnits);
    const size = blocks * hidden * blockUnits * 4;
    const recurrent = new Float32Array(pair.length * size);
    for (const [i, { weightHh }] of pair.entries()) {
      checkWeightSize(weightHh, [4 * hidden, hidden], `${label}.${first + i}.weight_hh`);
      packRecurrent(weightHh, hidden, recurrent.subarray(i * size, (i + 1) * size));
    }
    pairs.push({
      inputs: pair.map((layer, i) => createInput(maker, layer, hidden, `${label}.${first + i}.weight_ih`, format)),
      recurrent: createWeights(
        maker,
        recurrent,
        [pair.length, blocks, hidden, 4 * blockUnits],
        `${label}.weight_hh`,
        format,
      ),
    });
  }
  return { hidden, pairs };
}

function createInput(
  maker: TensorMaker,
  { weightIh, biasIh, biasHh }: LstmWeights,
  hidden: number,
  label: string,
  format?: WeightFormat,
): Linear {
  const bias = interleaveGates(
    biasIh.map((value, i) => value + biasHh[i]),
    hidden,
  );
  const input = weightIh.length / (4 * hidden);
  const options = { bias, ...(format === undefined ? {} : { format }) };
  return createLinear(maker, interleaveGates(weightIh, hidden), 4 * hidden, input, label, options);
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

/** [gate, unit, k] to [block of units, k, unit of the block, gate]; units past the last are zero. */
function packRecurrent(values: Float32Array, hidden: number, result: Float32Array): void {
  let from = 0;
  for (let gate = 0; gate < 4; gate++)
    for (let unit = 0; unit < hidden; unit++) {
      const [block, within] = [Math.floor(unit / blockUnits), unit % blockUnits];
      for (let k = 0; k < hidden; k++) result[((block * hidden + k) * blockUnits + within) * 4 + gate] = values[from++];
    }
}

/** Working memory of a run. */
export interface LstmBuffers {
  /** [{@link lstmChunk}, hidden * 4] each. */
  readonly gates: readonly [Tensor<"f32">, Tensor<"f32">];
  /** [2, steps, hidden]; the output of the last layer is in the first half. */
  readonly h: Tensor<"f32">;
  /** [2, hidden] */
  readonly c: Tensor<"f32">;
  /**
   * [2, layers, hidden], h of all layers, then c: where the run begins, and what it leaves for the next one. Row 0 of x is
   * then no step but the place of h, so that step 1 finds it where every step finds the one before.
   */
  readonly state?: Tensor<"f32"> | undefined;
}

/**
 * Records all layers over the first `length` rows of x, from a state of zero or `buffers.state`. x: [length, input]; the
 * result lies in the first `length` rows of `buffers.h`. Two layers run at once, the second {@link lstmChunk} steps behind:
 * one product for each layer computes the gates of a chunk, then each dispatch does a step of both.
 */
export function lstm(
  recording: Recording,
  x: Tensor<"f32">,
  length: number,
  { hidden, pairs }: Lstm,
  buffers: LstmBuffers,
  version?: LstmVersion,
): void {
  const layers = pairs.reduce((sum, { inputs }) => sum + inputs.length, 0);
  let layer = 0;
  for (const pair of pairs) {
    // Regions of h alternate so that the last layer writes region 0.
    const region = (layers - 1 - layer) % 2;
    const source = layer === 0 ? { tensor: x, firstRow: 0 } : { tensor: buffers.h, firstRow: (1 - region) * length };
    const copyState = (way: "load" | "store"): void => {
      for (let i = 0; i < pair.inputs.length; i++)
        copyLayerState(recording, way, buffers, { layer: layer + i, layers, region: (region + i) % 2, length, hidden });
    };
    copyState("load");
    recordPair(recording, pair, source, region, length, hidden, buffers, version);
    copyState("store");
    layer += pair.inputs.length;
  }
}

/** Copies h and c of a layer between `state` and the place where a run has them: h in the row before the steps, or the last. */
function copyLayerState(
  recording: Recording,
  way: "load" | "store",
  { h, c, state }: LstmBuffers,
  { layer, layers, region, length, hidden }: Record<"layer" | "layers" | "region" | "length" | "hidden", number>,
): void {
  if (state === undefined) return;
  const program = recording.program(0);
  const copy = (at: number, tensor: Tensor<"f32">, row: number): void => {
    if (way === "load") program.copy(state, at * hidden, tensor, row * hidden, hidden);
    else program.copy(tensor, row * hidden, state, at * hidden, hidden);
  };
  copy(layer, h, region * length + (way === "load" ? 0 : length - 1));
  copy(layers + layer, c, layer % 2);
}

function recordPair(
  recording: Recording,
  { inputs, recurrent: weight }: LstmPair,
  source: { tensor: Tensor<"f32">; firstRow: number },
  region_a: number,
  length: number,
  hidden: number,
  { gates: [gates_a, gates_b], h, c, state }: LstmBuffers,
  version?: LstmVersion,
): void {
  const tensors = { gates_a, gates_b, weight, h, c };
  const sources = [source, { tensor: h, firstRow: region_a * length }];
  const chunks = Math.ceil(length / lstmChunk);
  const firstStep = state === undefined ? 0 : 1;
  const stepAt = (step: number): number => (step >= firstStep && step < length ? step : noStep);
  for (let block = 0; block < chunks + inputs.length - 1; block++) {
    for (const [i, input] of inputs.entries()) {
      const first = (block - i) * lstmChunk;
      const rows = Math.min(lstmChunk, length - first);
      if (first < 0 || rows <= 0) continue;
      const { tensor, firstRow } = sources[i];
      const program = recording.program(rows * input.inner * input.columns);
      matmul(program, tensor, input, [gates_a, gates_b][i], { rows, firstRow: firstRow + first });
    }
    for (let i = 0; i < lstmChunk; i++) {
      const step_a = stepAt(block * lstmChunk + i);
      const step_b = inputs.length === 2 ? stepAt((block - 1) * lstmChunk + i) : noStep;
      if (step_a === noStep && step_b === noStep) continue;
      const program = recording.program(inputs.length * 4 * hidden * hidden);
      const steps = { first: step_a === noStep ? 1 : 0, step_a, step_b, region_a, length, chunk: lstmChunk, hidden };
      program.dispatch(lstmVersions[version ?? chooseLstm(program.gpu)].kernels[0], tensors, steps);
    }
  }
}
