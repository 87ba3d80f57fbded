/** Nano's semantic vocabulary: 372 sounds, then a token for each of 64 text slots (tools/nano/README.md). */
const sounds = 372;

/**
 * What the embedded checkpoint says of its words: with token 372 + slot the word whose first token is in this slot begins at
 * the next token. By slot, the index of that next token.
 */
export function wordStarts(tokens: readonly number[]): Map<number, number> {
  const starts = new Map<number, number>();
  for (const [at, token] of tokens.entries())
    if (token >= sounds && !starts.has(token - sounds)) starts.set(token - sounds, at + 1);
  return starts;
}
