import { argumentsOf, noneOr, readInteger, type ReadersOf } from "../../../engine/check/arguments.ts";
import { checkIds, readArray, type ArrayInput } from "../../../engine/check/array_argument.ts";
import type { NdArray } from "../../../engine/ndarray.ts";
import type { FineWeights } from "../fine_weights.ts";
import {
  checkEither,
  checkInputShape,
  embeddingInputs,
  forwardReaders,
  inputRows,
  readLabels,
  unsupportedForward,
  usageError,
  type ForwardKwargs,
  type Inputs,
} from "./forward_inputs.ts";
import { MaskedLMOutput } from "./model_output.ts";

export interface FineForwardKwargs extends ForwardKwargs {
  /** The codebook to predict. */
  codebook_idx: number;
  /** Codes of all codebooks, of which 0 to `codebook_idx` are looked at. [batch, length, n_codes_total] */
  input_ids?: ArrayInput | null;
}

/** Arguments of the fine model's `forward`. @throws EngineError `usage`. */
export const readFineArguments = argumentsOf(
  "forward",
  {
    ...forwardReaders,
    codebook_idx: readInteger(0),
    input_ids: noneOr(readArray([3], checkIds)),
    labels: readLabels("Training is not implemented yet"),
  } satisfies ReadersOf<FineForwardKwargs>,
  {
    required: ["codebook_idx"],
    unsupported: unsupportedForward,
    usage: "give forward({ codebook_idx, input_ids, … })",
  },
);

/** One forward pass of the fine model (bark-spec 3.2). @throws EngineError `usage`. */
export async function fineForward(
  model: FineWeights,
  kwargs: ReturnType<typeof readFineArguments>,
): Promise<MaskedLMOutput> {
  const { codebook_idx: codebook, input_ids: ids, inputs_embeds: embeddings } = kwargs;
  const { hidden_size, block_size, n_codes_given } = model.config;
  checkCodebook(model, codebook);
  checkEither(ids, embeddings);
  const inputs = ids === undefined ? embeddingInputs(embeddings!, hidden_size) : codeInputs(model, ids, codebook + 1);
  const rows = inputRows(inputs, kwargs, 0, block_size);
  const wanted = {
    cache: false,
    hiddenStates: kwargs.output_hidden_states ?? model.config.output_hidden_states,
    attentions: kwargs.output_attentions ?? model.config.output_attentions,
  };
  const { gpt, tables } = model;
  const passModel = {
    gpt,
    tables,
    head: model.heads[codebook - n_codes_given],
    idsPerPosition: codebook + 1,
    causal: false,
  };
  // Loaded here: a page that only generates fetches code for nothing.
  const { forwardPass } = await import("./forward_pass.ts");
  const output = await forwardPass(passModel, rows, null, wanted);
  return new MaskedLMOutput({
    logits: output.logits,
    hidden_states: wanted.hiddenStates ? output.hiddenStates : null,
    attentions: wanted.attentions ? output.attentions : null,
  });
}

function checkCodebook({ config }: FineWeights, codebook: number): void {
  const { n_codes_given: given, n_codes_total: total } = config;
  if (codebook >= given && codebook < total) return;
  const message =
    codebook === 0
      ? "Cannot predict 0th codebook - 0th codebook should be predicted by the coarse model"
      : "the model has no head for this codebook";
  throw usageError("codebook_idx", message, `${given} to ${total - 1}`, codebook);
}

/** The first `count` codebooks of every position. Ids of the others are checked too, as transformers looks them up. */
function codeInputs({ config }: FineWeights, array: NdArray, count: number): Inputs {
  const { n_codes_total: total, input_vocab_size } = config;
  checkInputShape(array, [total], "input_ids");
  checkIds(array, "input_ids", input_vocab_size);
  const [batch, length] = array.shape;
  const rows = Array.from({ length: batch }, (_, row) => {
    const codes = array.row(row).data;
    return Uint32Array.from({ length: length * count }, (_, i) => codes[Math.floor(i / count) * total + (i % count)]);
  });
  return { length, rows };
}
