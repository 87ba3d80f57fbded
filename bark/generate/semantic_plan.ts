import { EngineError } from "../../engine/errors.ts";
import type { BarkSemanticGenerationConfig } from "../config/generation_config.ts";
import { voiceOfRow, type BatchVoice, type HistoryPrompt } from "../voice/history_prompt.ts";
import { lastOf, type Row } from "./python.ts";

// What the semantic stage takes and may answer, as numbers alone: bark-spec 4.2. All of it is exact arithmetic of transformers,
// quirks included, since one shifted index changes every token after it.

/** [start, end) of token ids. */
export type IdRange = readonly [start: number, end: number];

/**
 * Ids that the semantic stage may answer: semantic tokens and the end of speech, at most two ranges. The end of speech
 * may lie inside the vocabulary of tokens; then nothing above it is allowed.
 */
export function semanticRanges(config: BarkSemanticGenerationConfig, outputVocabSize: number): IdRange[] {
  const { semantic_vocab_size: tokens, eos_token_id: eos } = config;
  if (eos <= tokens) return [[0, Math.min(eos + 1, outputVocabSize)]];
  if (eos >= outputVocabSize) return [[0, Math.min(tokens, outputVocabSize)]];
  return [
    [0, tokens],
    [eos, eos + 1],
  ];
}

/** What transformers gives as `input_ids` beside the embeddings: penalties and n-grams see these. */
export function dummyIds({ max_input_semantic_length: slots }: BarkSemanticGenerationConfig): number[] {
  return new Array<number>(slots + 1).fill(1);
}

/** {@link semanticRanges} without the end of speech, which is the last id of one of them. */
export function withoutEnd(ranges: readonly IdRange[], eos: number): [IdRange] | [IdRange, IdRange] {
  const left = ranges.map(([start, end]): IdRange => (end === eos + 1 ? [start, eos] : [start, end]));
  const some = left.filter(([start, end]) => end > start);
  return (some.length > 0 ? some : left) as [IdRange] | [IdRange, IdRange];
}

/** Most tokens that the semantic stage can generate before it runs out of positions. */
export function maxSemanticTokens(config: BarkSemanticGenerationConfig, blockSize: number): number {
  return blockSize - config.max_input_semantic_length;
}

export interface SemanticInput {
  /** Ids of the text, [batch][max_input_semantic_length]. Their embeddings are added to those of `history`. */
  readonly text: number[][];
  /** Ids of each row's voice, [batch][max_input_semantic_length]; rows of one voice share one list. */
  readonly history: number[][];
  /** Follows them at the next position. */
  readonly infer: number;
}

/**
 * Token ids of the semantic prefill: text shifted by the offset, masked, cut; history cut to its end and padded on its
 * right. Shorter text than there are slots needs a mask, which is then continued with 0.
 * @param ids of the tokenizer, rows of one length. @param mask 1 for a token, or null.
 */
export function semanticInput(
  ids: readonly Row[],
  mask: readonly Row[] | null,
  history: BatchVoice,
  config: BarkSemanticGenerationConfig,
): SemanticInput {
  const { max_input_semantic_length: slots, text_encoding_offset, text_pad_token, semantic_pad_token } = config;
  const width = ids[0].length;
  if (mask !== null && (mask.length !== ids.length || mask[0].length !== width))
    throw new EngineError("usage", "attention_mask has another shape than input_ids", {
      where: "attention_mask",
      expected: `[${ids.length}, ${width}]`,
      actual: `[${mask.length}, ${mask[0]?.length ?? 0}]`,
    });
  if (width < slots && mask === null)
    throw new EngineError("usage", "text has fewer ids than the checkpoint has text slots", {
      where: "input_ids",
      expected: `at least ${slots} (max_input_semantic_length)`,
      actual: width,
      fix: `call the processor with max_length: ${slots}, or give an attention_mask`,
    });
  const text = ids.map((row, r) =>
    Array.from({ length: slots }, (_, i) =>
      i >= width || (mask !== null && mask[r][i] !== 1) ? text_pad_token : row[i] + text_encoding_offset,
    ),
  );
  const voices = ids.map((_, row) => voiceOfRow(history, row, ids.length));
  const padded = new Map(voices.map((voice) => [voice, paddedPrompt(voice, slots, semantic_pad_token)]));
  return { text, history: voices.map((voice) => padded.get(voice)!), infer: config.semantic_infer_token };
}

function paddedPrompt(voice: HistoryPrompt | null, slots: number, pad: number): number[] {
  const prompt = voice === null ? [] : lastOf(Array.from(voice.semantic_prompt.data), slots);
  return Array.from({ length: slots }, (_, i) => prompt[i] ?? pad);
}
