import type { CausalOptions } from "../options/causal_options.ts";
import { prefixAllowed, userProcessor } from "./callbacks.ts";
import { forced, minLength } from "./lengths.ts";
import { logSoftmax } from "./math.ts";
import { encoderNoRepeatNgram, noRepeatNgram } from "./ngrams.ts";
import { encoderRepetitionPenalty, exponentialDecay, repetitionPenalty } from "./penalties.ts";
import { eachRow, type LogitsProcessor, type Sequences } from "./processor.ts";
import * as warpers from "./warpers.ts";
import { badWords, sequenceBias, suppress } from "./words.ts";

/** What processors need to know of a search beside its options. */
export interface SearchContext {
  /** Ids of the input. */
  readonly inputLength: number;
  /** Most ids of a sequence, the input's included. */
  readonly maxLength: number;
  /** Ids of the input of each sequence, or null where they are embeddings. */
  readonly inputs: Sequences | null;
  /** Leading ids of each sequence that are masked. */
  readonly ignored?: readonly number[] | undefined;
  /** Bark's own processors of the stage. */
  readonly own: readonly LogitsProcessor[];
}

/**
 * The processors of a search, in the order of transformers 5.23 (`GenerationMixin._get_logits_processor`): those that the
 * options ask for, Bark's and the caller's own, what shapes the distribution, and the normalisation.
 */
export function processorsOf(options: CausalOptions, context: SearchContext): LogitsProcessor[] {
  return [
    ...beforeOwn(options, context),
    ...context.own,
    ...options.logits_processor.map(userProcessor),
    ...(options.do_sample ? warpersOf(options) : []),
    ...(options.renormalize_logits ? [normalise] : []),
  ];
}

const normalise: LogitsProcessor = (_sequences, scores) => scores.map(logSoftmax);

const removeInvalid = eachRow((scores) => {
  const most = 3.4028234663852886e38;
  for (const [id, score] of scores.entries())
    scores[id] = Number.isNaN(score) ? 0 : Math.max(-most, Math.min(most, score));
});

/** Those that are there only if their option is. */
function beforeOwn(options: CausalOptions, context: SearchContext): LogitsProcessor[] {
  const { inputLength, maxLength, inputs } = context;
  const { eos_token_id: eos, min_length, min_new_tokens, exponential_decay_length_penalty: decay } = options;
  const when = <T>(value: T | null, make: (value: T) => LogitsProcessor): LogitsProcessor[] =>
    value === null ? [] : [make(value)];
  const whenEnds = (length: number | null): LogitsProcessor[] =>
    length === null || eos === null ? [] : [minLength(length, eos)];
  return [
    ...when(options.sequence_bias, sequenceBias),
    // transformers, too, leaves these out where the input is embeddings.
    ...when(inputs && options.encoder_repetition_penalty, (penalty) => encoderRepetitionPenalty(penalty, inputs!)),
    ...when(options.repetition_penalty, (penalty) => repetitionPenalty(penalty, context.ignored)),
    ...when(options.no_repeat_ngram_size, noRepeatNgram),
    ...when(inputs && options.encoder_no_repeat_ngram_size, (size) => encoderNoRepeatNgram(size, inputs!)),
    ...when(options.bad_words_ids, (words) => badWords(words, eos)),
    // transformers overwrites min_length where min_new_tokens is given.
    ...whenEnds(min_new_tokens === null ? min_length : min_new_tokens + inputLength),
    ...when(options.prefix_allowed_tokens_fn, (allowed) => prefixAllowed(allowed, options.num_beams)),
    ...when(options.forced_bos_token_id, (id) => forced([id], 1, "forced_bos_token_id")),
    ...when(options.forced_eos_token_id, (ids) => forced(ids, maxLength - 1, "forced_eos_token_id")),
    ...(options.remove_invalid_values ? [removeInvalid] : []),
    ...when(decay && eos && decay, ([start, factor]) => exponentialDecay(start + inputLength, factor, eos!)),
    ...when(options.suppress_tokens, (ids) => suppress(ids)),
    ...when(options.begin_suppress_tokens, (ids) => suppress(ids, inputLength)),
  ];
}

function warpersOf(options: CausalOptions): LogitsProcessor[] {
  const { temperature, top_h, top_k, top_p, min_p, typical_p, epsilon_cutoff, eta_cutoff } = options;
  // A beam needs an id to go on with beside all ends of sequence.
  const keep = options.num_beams > 1 ? (options.eos_token_id?.length ?? 1) + 1 : 1;
  return [
    ...(temperature === 1 ? [] : [warpers.temperatureWarper(temperature)]),
    ...(top_h === null ? [] : [warpers.topH(top_h)]),
    ...(top_k === 0 ? [] : [warpers.topK(top_k, keep)]),
    ...(top_p === 1 ? [] : [warpers.topP(top_p, keep)]),
    ...(min_p === null ? [] : [warpers.minP(min_p, keep)]),
    ...(typical_p === null ? [] : [warpers.typicalP(typical_p, keep)]),
    ...(epsilon_cutoff === null ? [] : [warpers.epsilonCutoff(epsilon_cutoff, keep)]),
    ...(eta_cutoff === null ? [] : [warpers.etaCutoff(eta_cutoff, keep)]),
  ];
}
