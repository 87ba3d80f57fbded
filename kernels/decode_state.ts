/**
 * The decode state that lives on the GPU: u32 [rows, 4]. The sampling kernel advances it, so that the host writes
 * nothing from token to token.
 */
export const stateFields = {
  /** The token to feed next. */
  token: 0,
  /** The position it stands at. */
  position: 1,
  /** Tokens sampled so far: the index of the next one in the row of sampled tokens, and the RNG's counter. */
  step: 2,
  /** 1 after an end-of-sequence token. */
  done: 3,
} as const;

export const stateWidth = 4;
