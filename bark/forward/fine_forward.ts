import type { FineWeights } from "../fine_model.ts";
import {
  arrayOf,
  checkEither,
  checkIndices,
  checkInputShape,
  embeddingInputs,
  inputRows,
  usageError,
  type ArrayLikeInput,
  type ForwardKwargs,
  type Inputs,
} from "./forward_inputs.ts";
import { forwardPass } from "./forward_pass.ts";
import type { FloatArray } from "./pass_output.ts";

export interface FineForwardKwargs extends ForwardKwargs {
  /** The codebook to predict. */
  codebook_idx: number;
  /** Codes of all codebooks, of which 0 to `codebook_idx` are looked at. [batch, length, n_codes_total] */
  input_ids?: ArrayLikeInput | null;
}

export interface MaskedLMOutput {
  /** Scores of the codes of one codebook. [batch, length, head_vocab_size] */
  readonly logits: FloatArray;
  /** What goes into each layer and, last, the final norm of what comes out, each [batch, length, hidden_size]. */
  readonly hidden_states: readonly FloatArray[] | null;
  /** Of each layer, [batch, num_heads, length, length]. */
  readonly attentions: readonly FloatArray[] | null;
}

/** One forward pass of the fine model (bark-spec 3.2). @throws EngineError `usage`. */
export async function fineForward(model: FineWeights, kwargs: FineForwardKwargs): Promise<MaskedLMOutput> {
  const { codebook_idx: codebook, input_ids: ids = null, inputs_embeds: embeddings = null } = kwargs;
  const { hidden_size, block_size, n_codes_given } = model.config;
  checkCodebook(model, codebook);
  checkEither(ids, embeddings, kwargs.labels);
  const inputs = ids === null ? embeddingInputs(embeddings!, hidden_size) : codeInputs(model, ids, codebook + 1);
  const rows = inputRows(inputs, kwargs, 0, block_size);
  const wanted = {
    cache: false,
    hiddenStates: kwargs.output_hidden_states ?? false,
    attentions: kwargs.output_attentions ?? false,
  };
  const { gpt, tables } = model;
  const passModel = {
    gpt,
    tables,
    head: model.heads[codebook - n_codes_given],
    idsPerPosition: codebook + 1,
    causal: false,
  };
  const output = await forwardPass(passModel, rows, null, wanted);
  return {
    logits: output.logits,
    hidden_states: wanted.hiddenStates ? output.hiddenStates : null,
    attentions: wanted.attentions ? output.attentions : null,
  };
}

function checkCodebook({ config }: FineWeights, codebook: number): void {
  const { n_codes_given: given, n_codes_total: total } = config;
  if (Number.isInteger(codebook) && codebook >= given && codebook < total) return;
  const message =
    codebook === 0
      ? "Cannot predict 0th codebook - 0th codebook should be predicted by the coarse model"
      : "the model has no head for this codebook";
  throw usageError("codebook_idx", message, `${given} to ${total - 1}`, codebook);
}

/** The first `count` codebooks of every position. Ids of the others are checked too, as transformers looks them up. */
function codeInputs({ config }: FineWeights, value: ArrayLikeInput, count: number): Inputs {
  const { n_codes_total: total, input_vocab_size } = config;
  const array = arrayOf(value, [3], "input_ids");
  checkInputShape(array, [total], "input_ids");
  checkIndices(array.data, input_vocab_size, "input_ids");
  const [batch, length] = array.shape;
  const rows = Array.from({ length: batch }, (_, row) => {
    const codes = array.row(row).data;
    return Uint32Array.from({ length: length * count }, (_, i) => codes[Math.floor(i / count) * total + (i % count)]);
  });
  return { length, rows };
}
