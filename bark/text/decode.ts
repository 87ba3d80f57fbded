/** Python's `clean_up_tokenization`: takes the space before marks and English contractions away. */
export function cleanUp(text: string): string {
  const pairs: [string, string][] = [
    [" .", "."],
    [" ?", "?"],
    [" !", "!"],
    [" ,", ","],
    [" ' ", "'"],
    [" n't", "n't"],
    [" 'm", "'m"],
    [" 's", "'s"],
    [" 've", "'ve"],
    [" 're", "'re"],
  ];
  return pairs.reduce((cleaned, [from, to]) => cleaned.replaceAll(from, to), text);
}

/** Pieces of WordPiece as text, as the Rust decoder joins them: it cleans each piece with the space before it. */
export function joinPieces(pieces: readonly string[], prefix = "##"): string {
  return pieces
    .map((piece, i) => cleanUp(i === 0 ? piece : piece.startsWith(prefix) ? piece.slice(prefix.length) : ` ${piece}`))
    .join("");
}
