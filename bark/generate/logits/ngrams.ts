import { eachRow, type LogitsProcessor, type Sequences } from "./processor.ts";

/** `no_repeat_ngram_size`: no `size` ids in a row come a second time, those of the input included. */
export function noRepeatNgram(size: number): LogitsProcessor {
  return eachRow((scores, ids) => ban(scores, ids, ids, size));
}

/** `encoder_no_repeat_ngram_size`: no `size` ids in a row come that the input has. @param inputs a row for each sequence. */
export function encoderNoRepeatNgram(size: number, inputs: Sequences): LogitsProcessor {
  return eachRow((scores, ids, row) => ban(scores, ids, inputs[row], size));
}

/** Bans every id that follows, somewhere in `source`, the last `size - 1` of `ids`. */
function ban(scores: Float32Array, ids: readonly number[], source: readonly number[], size: number): void {
  if (ids.length < size) return;
  const prefix = ids.slice(ids.length + 1 - size);
  for (let start = 0; start + size <= source.length; start++) {
    const last = source[start + size - 1];
    if (last < scores.length && prefix.every((id, i) => id === source[start + i])) scores[last] = -Infinity;
  }
}
