/** A stretch of a text. */
export interface Found {
  readonly start: number;
  readonly end: number;
  /** How it is spoken; `undefined`: as it is written. */
  readonly say: () => string | undefined;
}

/** Finds what is spoken otherwise than it is written, in the order of the text. */
export type Rule = (text: string) => Iterable<Found>;

/** @param pattern with the flag g. */
export function rule(pattern: RegExp, say: (match: RegExpExecArray) => string | undefined): Rule {
  return (text) =>
    Array.from(text.matchAll(pattern), (match) => ({
      start: match.index,
      end: match.index + match[0].length,
      say: () => say(match),
    }));
}
