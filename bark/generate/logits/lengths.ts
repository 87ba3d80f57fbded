import { checkAnswerable, eachRow, type LogitsProcessor } from "./processor.ts";

/** `min_length` and `min_new_tokens`: no end of sequence before `length` ids, those of the input included. */
export function minLength(length: number, eos: readonly number[]): LogitsProcessor {
  return eachRow((scores, ids) => {
    if (ids.length >= length) return;
    for (const id of eos) if (id < scores.length) scores[id] = -Infinity;
  });
}

/**
 * `forced_bos_token_id` (of an input of one id) and `forced_eos_token_id`: nothing else can follow `length` ids.
 * @param where the keyword, for errors.
 */
export function forced(tokens: readonly number[], length: number, where: string): LogitsProcessor {
  return eachRow((scores, ids) => {
    if (ids.length !== length) return;
    checkAnswerable(tokens, scores, where);
    scores.fill(-Infinity);
    for (const id of tokens) scores[id] = 0;
  });
}
