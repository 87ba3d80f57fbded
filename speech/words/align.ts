import type { TextWord } from "./words_of.ts";

/** The way of one attention head through the words. */
export interface Alignment {
  /** The token with which each word begins. */
  readonly starts: readonly number[];
  /**
   * Mean of log(attention on the word that is being said / mean attention on that word): 0 for a head that looks at the same
   * places all the time, at most the logarithm of the number of words.
   */
  readonly gain: number;
}

/** A head looks elsewhere now and then; without a floor one such token would outweigh all others. */
const floor = 1e-3;

/**
 * The path with most attention of all that say every word once, in order, at least one token each (Viterbi 1967).
 * @param weights of one head: attention of each generated token on the text's slots, each row with the sum 1. [tokens, keys]
 * @returns undefined if there are more words than tokens.
 */
export function align(weights: Float32Array, keys: number, words: readonly TextWord[]): Alignment | undefined {
  const tokens = weights.length / keys;
  if (words.length === 0 || tokens < words.length) return undefined;
  const shares = sharesOf(weights, keys, words);
  const starts = bestPath(shares, words.length);
  return { starts, gain: gainOf(shares, starts) };
}

/** The alignment of the head with the most gain. @param layers weights of each layer, [heads, tokens, keys]. */
export async function bestAlignment(
  layers: AsyncIterable<Float32Array>,
  { heads, keys, words }: { readonly heads: number; readonly keys: number; readonly words: readonly TextWord[] },
): Promise<Alignment | undefined> {
  let best: Alignment | undefined;
  for await (const layer of layers)
    for (let head = 0, size = layer.length / heads; head < heads; head++) {
      const found = align(layer.subarray(head * size, (head + 1) * size), keys, words);
      if (found !== undefined && (best === undefined || found.gain > best.gain)) best = found;
    }
  return best;
}

/** Attention of each token on each word. [tokens, words] */
function sharesOf(weights: Float32Array, keys: number, words: readonly TextWord[]): Float64Array {
  const tokens = weights.length / keys;
  const shares = new Float64Array(tokens * words.length).fill(floor);
  for (let token = 0, i = 0; token < tokens; token++)
    for (const { first, end } of words) {
      for (let slot = first; slot < end; slot++) shares[i] += weights[token * keys + slot];
      i++;
    }
  return shares;
}

function bestPath(shares: Float64Array, words: number): number[] {
  const tokens = shares.length / words;
  const best = new Float64Array(words).fill(-Infinity);
  /** Whether the best path to a word at a token comes from the word before. */
  const steps = new Uint8Array(shares.length);
  for (let token = 0; token < tokens; token++)
    // From the last word on: each takes the path to the one before it as it was a token ago.
    for (let word = words - 1, i = token * words + word; word >= 0; word--, i--) {
      const before = word > 0 ? best[word - 1] : token === 0 ? 0 : -Infinity;
      if (before > best[word]) [steps[i], best[word]] = [1, before];
      best[word] += Math.log(shares[i]);
    }
  const starts = new Array<number>(words).fill(0);
  for (let token = tokens - 1, word = words - 1; word > 0; token--)
    if (steps[token * words + word] === 1) starts[word--] = token;
  return starts;
}

function gainOf(shares: Float64Array, starts: readonly number[]): number {
  const words = starts.length;
  const tokens = shares.length / words;
  const means = new Float64Array(words);
  for (const [i, share] of shares.entries()) means[i % words] += share / tokens;
  let gain = 0;
  for (let token = 0, word = 0; token < tokens; token++) {
    if (token === starts[word + 1]) word++;
    gain += Math.log(shares[token * words + word] / means[word]) / tokens;
  }
  return gain;
}
