import type { NdArray } from "../../engine/ndarray.ts";

export type BarkStage = "semantic" | "coarse" | "fine" | "codec";

/** Progress after every loaded tensor and every readback: enough for a bar, a rate and an estimate. */
export interface BarkProgress {
  readonly stage: BarkStage | "load";
  /** Units finished: weights (load), tokens (semantic, coarse), passes over a window (fine), audio frames (codec). */
  readonly done: number;
  /** All units. For the semantic stage the limit: the model itself ends the speech. */
  readonly total: number;
  /** `false` for the semantic stage, whose `total` is only a limit. */
  readonly totalIsKnown: boolean;
  /** Since the stage began. */
  readonly milliseconds: number;
}

/** All that a run produced. */
export interface BarkOutput {
  /** [batch, samples] float32, unclipped. */
  readonly audio: NdArray<Float32Array>;
  /** Samples of each row that are its own; the rest is padding. */
  readonly output_lengths: readonly number[];
  /** Semantic tokens as generated, with end-of-sequence and padding. [batch][n] */
  readonly semantic: readonly (readonly number[])[];
  /** Coarse vocabulary ids, codebooks interleaved; of a voice a row, each row its own. [batch][frames * n_coarse_codebooks] */
  readonly coarse: readonly (readonly number[])[];
  /** Tokens of `coarse` that belong to each row. */
  readonly coarse_lengths: readonly number[];
  /** Codes. [batch, n_fine_codebooks, frames] int32 */
  readonly fine: NdArray<Int32Array>;
  readonly milliseconds: Readonly<Record<BarkStage, number>>;
}
