import type { SpokenPart } from "../speech.ts";

/**
 * Seconds of sound that a player holds before it begins, so that it does not run dry: the rest takes factor * left to make,
 * and what is held and the rest itself are played meanwhile.
 * @param left seconds of sound that are still to come, about.
 */
export function secondsToHold(real_time_factor: number, left: number): number {
  return Math.max(0, (real_time_factor - 1) * left);
}

/** Letters that Bark says in a second, about: 15 of text that it says well. */
const lettersPerSecond = 14;

/**
 * About how long what follows a part will be, in seconds: by the pace so far, or by that of Bark until a piece is whole.
 * @param said letters up to the end of its piece. @param all letters of the text.
 */
export function secondsBehind(
  { is_last, end }: Pick<SpokenPart, "is_last" | "end">,
  said: number,
  all: number,
): number {
  return is_last ? ((all - said) * end) / said : Math.max(0, all / lettersPerSecond - end);
}
