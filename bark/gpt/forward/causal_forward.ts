import { argumentsOf, noneOr, readBoolean, type ReadersOf } from "../../../engine/check/arguments.ts";
import { checkIds, readArray, type ArrayInput } from "../../../engine/check/array_argument.ts";
import type { NdArray } from "../../../engine/ndarray.ts";
import type { CausalWeights } from "../causal_weights.ts";
import { checkCache, DynamicCache, readCache, type LegacyCache } from "./dynamic_cache.ts";
import {
  checkEither,
  checkInputShape,
  checkLength,
  embeddingInputs,
  forwardReaders,
  inputRows,
  readLabels,
  unsupportedForward,
  type ForwardKwargs,
  type Inputs,
} from "./forward_inputs.ts";
import { CausalLMOutputWithPast } from "./model_output.ts";

export interface CausalForwardKwargs extends ForwardKwargs {
  /** Token ids. [batch, length] */
  input_ids?: ArrayInput | null;
  /** What was seen before, also as transformers' tuples of keys and values; it is not changed. */
  past_key_values?: DynamicCache | LegacyCache | null;
  /** Return `past_key_values`. Default: `use_cache` of the config. Where they are given they are returned in any case. */
  use_cache?: boolean | null;
}

/** Arguments of a causal model's `forward`. @throws EngineError `usage`. */
export const readCausalArguments = argumentsOf(
  "forward",
  {
    ...forwardReaders,
    input_ids: noneOr(readArray([2], checkIds)),
    past_key_values: noneOr(readCache),
    use_cache: noneOr(readBoolean),
    labels: readLabels("Training is not implemented yet for Bark - ensure you do not pass `labels` to the model."),
  } satisfies ReadersOf<CausalForwardKwargs>,
  { unsupported: unsupportedForward, usage: "give forward({ input_ids, … })" },
);

/** One forward pass of the semantic or the coarse model (bark-spec 3.1). @throws EngineError `usage`. */
export async function causalForward(
  model: CausalWeights,
  kwargs: ReturnType<typeof readCausalArguments>,
): Promise<CausalLMOutputWithPast> {
  const { input_ids: ids, inputs_embeds: embeddings, past_key_values: past = null } = kwargs;
  const { hidden_size, num_heads, num_layers, block_size } = model.config;
  checkEither(ids, embeddings);
  const inputs = ids === undefined ? embeddingInputs(embeddings!, hidden_size) : await idInputs(model, ids);
  const seen = past?.get_seq_length() ?? 0;
  checkLength(seen, inputs.length, block_size);
  const rows = inputRows(inputs, kwargs, seen, block_size);
  if (past !== null) {
    const shape = { layers: num_layers, batch: rows.length, heads: num_heads, headDim: hidden_size / num_heads };
    checkCache(past, shape);
  }
  const wanted = {
    cache: past !== null || (kwargs.use_cache ?? model.config.use_cache),
    hiddenStates: kwargs.output_hidden_states ?? model.config.output_hidden_states,
    attentions: kwargs.output_attentions ?? model.config.output_attentions,
  };
  const { gpt, tables, head } = model;
  // Loaded here: a page that only generates fetches code for nothing.
  const { forwardPass } = await import("./forward_pass.ts");
  const output = await forwardPass({ gpt, tables, head, idsPerPosition: 1, causal: true }, rows, past, wanted);
  return new CausalLMOutputWithPast({
    logits: output.logits,
    past_key_values: wanted.cache ? new DynamicCache(output.cache) : null,
    hidden_states: wanted.hiddenStates ? output.hiddenStates : null,
    attentions: wanted.attentions ? output.attentions : null,
  });
}

async function idInputs(model: CausalWeights, array: NdArray): Promise<Inputs> {
  checkInputShape(array, [], "input_ids");
  checkIds(array, "input_ids", model.config.input_vocab_size);
  const [batch, length] = array.shape;
  const rows = Array.from({ length: batch }, async (_, row) => {
    const input = await model.prefillInput(Array.from(array.row(row).data));
    return "ids" in input ? Uint32Array.from(input.ids) : input.embeddings;
  });
  return { length, rows: await Promise.all(rows) };
}
