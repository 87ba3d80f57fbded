import { NdArray } from "../../../engine/ndarray.ts";
import type { CacheLayer } from "./dynamic_cache.ts";
import type { FloatArray } from "./model_output.ts";

/** What a caller wants back besides the logits. */
export interface Wanted {
  readonly cache: boolean;
  readonly hiddenStates: boolean;
  readonly attentions: boolean;
}

/** What a forward pass answers, in host memory; what is not wanted is empty. */
export interface PassOutput {
  /** [batch, length, output_vocab_size] */
  readonly logits: FloatArray;
  /** Of each layer, past included. */
  readonly cache: readonly CacheLayer[];
  /** What goes into each layer and, last, the final norm of what comes out, each [batch, length, hidden_size]. */
  readonly hiddenStates: readonly FloatArray[];
  /** Of each layer, [batch, num_heads, length, past + length]. */
  readonly attentions: readonly FloatArray[];
}

export interface OutputShape {
  readonly batch: number;
  readonly length: number;
  /** Past included. */
  readonly keys: number;
  readonly layers: number;
  readonly heads: number;
  readonly headDim: number;
  readonly columns: number;
}

export function allocateOutput(shape: OutputShape, wanted: Wanted): PassOutput {
  const { batch, length, keys, layers, heads, headDim, columns } = shape;
  const each = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
  const cached = [batch, heads, keys, headDim];
  return {
    logits: zeros([batch, length, columns]),
    cache: each(wanted.cache ? layers : 0, () => ({ keys: zeros(cached), values: zeros(cached) })),
    hiddenStates: each(wanted.hiddenStates ? layers + 1 : 0, () => zeros([batch, length, heads * headDim])),
    attentions: each(wanted.attentions ? layers : 0, () => zeros([batch, heads, length, keys])),
  };
}

function zeros(shape: readonly number[]): FloatArray {
  return new NdArray(new Float32Array(shape.reduce((product, extent) => product * extent, 1)), shape);
}
