import type { CausalOptions } from "../options/causal_options.ts";
import type { Sequences } from "../logits/processor.ts";

// Apart from the searches themselves: a page that only speaks as usual fetches no code of theirs.

/** What only a search on the host follows, where it is not null. */
const hostOptions = [
  "min_p",
  "top_h",
  "typical_p",
  "epsilon_cutoff",
  "eta_cutoff",
  "repetition_penalty",
  "encoder_repetition_penalty",
  "no_repeat_ngram_size",
  "encoder_no_repeat_ngram_size",
  "bad_words_ids",
  "sequence_bias",
  "suppress_tokens",
  "begin_suppress_tokens",
  "forced_eos_token_id",
  "exponential_decay_length_penalty",
  "prefix_allowed_tokens_fn",
] as const satisfies readonly (keyof CausalOptions)[];

/**
 * Whether an option asks for the scores of every step on the host. Else the GPU picks the tokens by itself, and a decode
 * reads back once in many steps.
 */
export function needsHost(options: CausalOptions): boolean {
  const { num_beams, remove_invalid_values, logits_processor, stopping_criteria } = options;
  return (
    num_beams > 1 ||
    remove_invalid_values ||
    logits_processor.length + stopping_criteria.length > 0 ||
    hostOptions.some((name) => options[name] !== null)
  );
}

/** How often a row of the batch is searched: once a beam, or once an answer. */
export function sequencesPerRow({ num_beams, num_return_sequences }: CausalOptions): number {
  return Math.max(num_beams, num_return_sequences);
}

/**
 * Where transformers masks the input: its ids that are `pad_token_id`, unless that is an end of sequence as well. Null where it
 * masks nothing. @returns 0 for a masked id, else 1, a row each.
 */
export function inferredMask(
  ids: Sequences,
  pad: number | null,
  eos: readonly number[] | null,
): readonly number[][] | null {
  if (pad === null || eos?.includes(pad) === true || !ids.some((row) => row.includes(pad))) return null;
  return ids.map((row) => row.map((id) => (id === pad ? 0 : 1)));
}
