import type { NdArray } from "../../../engine/ndarray.ts";
import type { DynamicCache } from "./dynamic_cache.ts";

export type FloatArray = NdArray<Float32Array<ArrayBuffer>>;

/** What `forward` answers with `return_dict: false`: the fields that it has, in their order. */
export type OutputTuple = readonly (FloatArray | DynamicCache | readonly FloatArray[])[];

/**
 * An answer of `forward`, as transformers' `ModelOutput`: a field that a pass does not have reads as null and is not among
 * its keys.
 */
class ModelOutput {
  /** There is no training here. */
  declare readonly loss: null;
  declare readonly logits: FloatArray;
  /** What goes into each layer and, last, the final norm of what comes out, each [batch, length, hidden_size]. */
  declare readonly hidden_states: readonly FloatArray[] | null;
  /** Of each layer, [batch, num_heads, length, past + length]. */
  declare readonly attentions: readonly FloatArray[] | null;

  static {
    Object.assign(this.prototype, { loss: null, hidden_states: null, attentions: null });
  }

  constructor(fields: Readonly<Record<string, unknown>>) {
    Object.assign(this, Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)));
  }

  /** The fields that are there, as transformers' tuple. */
  to_tuple(): OutputTuple {
    return (Object.entries(this) as [string, OutputTuple[number]][]).map(([, value]) => value);
  }
}

/** Of a causal model. `logits`: scores of the next token after every position. [batch, length, output_vocab_size] */
export class CausalLMOutputWithPast extends ModelOutput {
  declare readonly past_key_values: DynamicCache | null;

  static {
    Object.assign(this.prototype, { past_key_values: null });
  }
}

/** Of the fine model. `logits`: scores of the codes of one codebook. [batch, length, head_vocab_size] */
export class MaskedLMOutput extends ModelOutput {}
