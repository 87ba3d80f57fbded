import type { Device } from "../../engine/device/device.ts";
import type { Program } from "../../engine/program/program.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { chooseSampleLanes } from "../choose.ts";
import { sampleRowsKernel, sampleStepKernel, type sampleOverrides, type sampleParams } from "./versions.ts";

/** Lanes that share a row: a multiple of 16, at most 256 (select.wgsl). */
export type SampleLanes = 64 | 256;

export type IdRange = readonly [start: number, end: number];

/** How to pick an id from a row of logits, in the order of transformers' processors. */
export interface SampleOptions {
  /** The allowed ids: one or two ranges [start, end). */
  readonly ranges: readonly [IdRange] | readonly [IdRange, IdRange];
  /** End of sequence: this id ends the row. */
  readonly eos?: number;
  /** Take `eos` as soon as its probability (before temperature) is above this. 0: off. */
  readonly minEosP?: number;
  /** Take the largest logit, the first of equals; the options below then do not count. */
  readonly greedy: boolean;
  /** Above 0. Default 1. */
  readonly temperature?: number;
  /** Only the k largest, and those equal to the k-th. 0: off. */
  readonly topK?: number;
  /** Only the likeliest that together reach this probability. 1: off. */
  readonly topP?: number;
  /** 64 bits. */
  readonly seed?: bigint;
  /** A number for each stage, so that their draws differ. */
  readonly stage?: number;
  /** Rows of one run, where each run of the batch draws as if it were alone. Default: all rows are one run. */
  readonly drawRows?: number;
  /** What a finished row emits. Default `eos`. */
  readonly pad?: number;
}

const none = 0xffffffff;

/**
 * The least temperature and top-p. Less changes nothing: at 1e-30 logits that differ at all lie further apart than any noise,
 * and the likeliest id alone reaches top-p. Less would be 0 in f32: a division by zero, and a top-p that every id reaches.
 */
const least = 1e-30;

type Selection = Omit<Record<keyof typeof sampleParams, number>, "rows" | "vocabulary" | "first" | "stride">;

function selection(options: SampleOptions, rows: number): Selection {
  const [first, second = [0, 0]] = options.ranges;
  const { eos = none, topK = 0, topP = 1, seed = 0n } = options;
  // The rule needs an id to take.
  const minEosP = eos === none ? 0 : (options.minEosP ?? 0);
  // A top-k of all ids drops none; without it the filter's passes are saved.
  const count = first[1] - first[0] + second[1] - second[0];
  return {
    start0: first[0],
    end0: first[1],
    start1: second[0],
    end1: second[1],
    eos,
    pad: options.pad ?? eos,
    min_eos_p: minEosP,
    temperature: Math.max(options.temperature ?? 1, least),
    top_k: topK >= count ? 0 : topK,
    top_p: Math.max(topP, least),
    seed_low: Number(seed & 0xffffffffn),
    seed_high: Number((seed >> 32n) & 0xffffffffn),
    stage: options.stage ?? 0,
    draw_rows: options.drawRows ?? rows,
  };
}

/** The overrides of a sampling kernel for `rows` rows. */
export function sampleConstants(
  gpu: Device,
  rows: number,
  { greedy, topK = 0, topP = 1 }: Pick<SampleOptions, "greedy" | "topK" | "topP">,
  lanes: SampleLanes = chooseSampleLanes(gpu, rows),
): typeof sampleOverrides {
  const filters = !greedy && (topK > 0 || topP < 1);
  return { lanes, greedy: greedy ? 1 : 0, filters: filters ? 1 : 0 };
}

/**
 * Records the pick of one id a row and the advance of the decode state.
 * logits: [rows, vocabulary] f32; state: [rows, 4] u32 (kernels/decode_state.ts); tokens: [rows, capacity] u32.
 */
export function sampleStep(
  program: Program,
  tensors: { logits: Tensor<"f32">; state: Tensor<"u32">; tokens: Tensor<"u32"> },
  { rows, vocabulary, capacity }: { rows: number; vocabulary: number; capacity: number },
  options: SampleOptions,
  lanes?: SampleLanes,
): void {
  const params = { rows, vocabulary, first: 0, stride: capacity, ...selection(options, rows) };
  const constants = sampleConstants(program.gpu, rows, { ...options, topK: params.top_k }, lanes);
  program.dispatch(sampleStepKernel, tensors, params, constants);
}

/** Records the pick of one id for each of `rows` independent rows of logits, written to out[first + row * stride]. */
export function sampleRows(
  program: Program,
  tensors: { logits: Tensor<"f32">; out: Tensor<"u32"> },
  shape: { rows: number; vocabulary: number; first: number; stride: number },
  options: SampleOptions,
  lanes?: SampleLanes,
): void {
  const params = { ...shape, ...selection(options, shape.rows) };
  const constants = sampleConstants(program.gpu, shape.rows, { ...options, topK: params.top_k }, lanes);
  program.dispatch(sampleRowsKernel, tensors, params, constants);
}
