import type { Rule } from "./rule.ts";

/** How a language says what is not written in words. Data of one file in `languages/`, which also loads n2words. */
export interface Language {
  /** BCP 47, for the plural rules of Intl. */
  readonly tag: string;
  /** A number in words. @param value such as `-12.5`. @param feminine of the noun that follows, where the numeral agrees. */
  readonly cardinal: (value: string, feminine: boolean) => string;
  readonly ordinal: (value: string) => string;
  /** The other of the two, and narrow spaces, separate thousands. */
  readonly decimal: "." | ",";
  /** Between words; none in Chinese and Japanese. */
  readonly space: " " | "";
  /** A number of one before a noun: `eins` becomes `ein Meter`, `eine Tonne`. */
  readonly beforeNoun?: readonly (readonly [end: RegExp, masculine: string, feminine: string])[];
  /** What stands before a noun after `million`: Spanish `un millón de euros`. */
  readonly of?: string;
  /** Words such as `million` that may stand between an amount and its currency: a pattern. */
  readonly magnitudes: string;
  /** Between whole and fraction of an amount: `five dollars and ten cents`. */
  readonly and: string;
  /** By sign: the unit, and its hundredth where amounts of two decimals are said with it. */
  readonly currencies: Readonly<Record<string, Noun | readonly [Noun, Noun]>>;
  readonly units: Readonly<Record<string, Noun>>;
  readonly feminine?: ReadonlySet<string>;
  /** `&` and its like. */
  readonly symbols: Readonly<Record<string, string>>;
  /** Of addresses: `.` `/` `@` `-` `_` and `:`. */
  readonly address: readonly [dot: string, slash: string, at: string, dash: string, underscore: string, colon: string];
  /** Between the ends of `10–20`. */
  readonly to: string;
  /** Written with their stops. A spoken form that ends with a stop may end its sentence. */
  readonly abbreviations: Readonly<Record<string, string>>;
  /** Abbreviations of these only before a number: `p. 55`. */
  readonly beforeNumber?: Readonly<Record<string, string>>;
  /** Ordinals, and what else only this language has. They come before the numbers. */
  readonly rules?: (say: Speller) => readonly Rule[];
}

/**
 * A noun's forms by number, with `|` between them: one for all; two, for one and other; four, for one, few, many and other
 * (Polish, Russian).
 */
export type Noun = string;

/** What a language's own rules may use. */
export interface Speller {
  /** Digits as they are written, any separators among them, in words. */
  number(written: string, feminine?: boolean): string;
  ordinal(written: string): string;
  digits(written: string): string;
}

/** Latin, full-width and Devanagari digits, for a class of a pattern. */
export const digits = "0-9０-９०-९";
export const digit = `[${digits}]`;
