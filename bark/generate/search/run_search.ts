import type { CausalWeights, PrefillInput } from "../../gpt/causal_weights.ts";
import type { LogitsSession } from "../../gpt/logits_session.ts";
import { type LogitsSource } from "../../gpt/logits_session.ts";
import type { CausalOptions } from "../options/causal_options.ts";
import type { LogitsProcessor, Sequences } from "../logits/processor.ts";
import { processorsOf } from "../logits/processors_of.ts";
import { beamSearch } from "./beam_search.ts";
import { MaskedSession } from "./masked_session.ts";
import { inferredMask, sequencesPerRow } from "./needs_host.ts";
import { sampleSearch } from "./sample_search.ts";
import type { Search } from "./search.ts";

/** A search over inputs of one length. */
export interface SearchRequest {
  readonly model: CausalWeights;
  /** Reused where nothing is masked: its caches hold the beginning of the next window. */
  readonly session: LogitsSession;
  /** A row of the batch each, before they are repeated for beams and answers. */
  readonly inputs: readonly PrefillInput[];
  /** transformers' `input_ids` of each row of the batch. */
  readonly ids: Sequences;
  /** Whether `ids` are what the model sees, so that penalties of the input follow them. */
  readonly idsAreInput: boolean;
  readonly options: CausalOptions;
  /** Bark's own processors. */
  readonly own: readonly LogitsProcessor[];
  readonly maxNewTokens: number;
  /** `rows` of one run, before they are repeated. */
  readonly draw: Search["draw"];
  readonly signal?: AbortSignal | undefined;
  readonly onStep: (count: number) => void;
}

/** Generates by a search on the host. @returns the new tokens of each row, or of each of its `num_return_sequences`. */
export async function runSearch(request: SearchRequest): Promise<number[][]> {
  const { model, options } = request;
  const times = sequencesPerRow(options);
  const ids = request.ids.flatMap((row) => new Array<readonly number[]>(times).fill(row));
  const inputs = request.inputs.flatMap((input) => new Array<PrefillInput>(times).fill(input));
  const inputLength = ids[0].length;
  const maxLength = inputLength + request.maxNewTokens;
  const mask = inferredMask(ids, options.pad_token_id, options.eos_token_id);
  const processors = processorsOf(options, {
    inputLength,
    maxLength,
    inputs: request.idsAreInput ? ids : null,
    ignored: mask?.map((row) => Math.max(0, row.indexOf(1))),
    own: request.own,
  });
  const source: LogitsSource = mask === null ? request.session : new MaskedSession(model, mask);
  const { signal, onStep } = request;
  // Beams of a row draw together; answers apart.
  const draw = { ...request.draw, rows: request.draw.rows * (options.num_beams > 1 ? 1 : times) };
  const search: Search = { source, inputs, ids, options, processors, maxLength, draw, signal, onStep };
  return await (options.num_beams > 1 ? beamSearch(search) : sampleSearch(search));
}
