import { digit, type Language, type Noun, type Speller } from "./language.ts";

/** Longer numbers are those of cards and accounts, which are said digit by digit. */
const longestNumber = 18;
/** Between digits, and between a number and its unit. */
export const blank = "[ \\u00a0\\u202f]";

/** Numbers in words, and the nouns that they count. */
export class Numerals implements Speller {
  readonly #language: Language;
  readonly #plurals: Intl.PluralRules;

  constructor(language: Language) {
    this.#language = language;
    this.#plurals = new Intl.PluralRules(language.tag);
  }

  number(written: string, feminine = false): string {
    const value = this.value(written);
    const isCode = /^-?0[0-9]/.test(value) || value.length > longestNumber;
    return isCode ? this.digits(value) : this.#language.cardinal(value, feminine);
  }

  ordinal(written: string): string {
    const value = this.value(written);
    // There is no zeroth, nor a half.
    return /^[1-9][0-9]{0,17}$/.test(value) ? this.#language.ordinal(value) : this.number(written);
  }

  digits(written: string): string {
    const { space, cardinal } = this.#language;
    const each = Array.from(latin(written).matchAll(/[0-9]/g), ([one]) => cardinal(one, false));
    return each.join(space);
  }

  /** A number before a noun: `zwei Meter`. */
  counted(written: string, noun: Noun): string {
    const { feminine, beforeNoun = [], space } = this.#language;
    const isFeminine = feminine?.has(noun) === true;
    let words = this.number(written, isFeminine);
    for (const [end, masculine, feminineEnd] of beforeNoun)
      if (end.test(words)) {
        words = words.replace(end, isFeminine ? feminineEnd : masculine);
        break;
      }
    return words + space + this.form(written, noun);
  }

  /** The form of a noun that agrees with a number. */
  form(written: string, noun: Noun): string {
    const forms = noun.split("|");
    const category = this.#plurals.select(Math.abs(Number(this.value(written))));
    if (forms.length === 4) return forms[["one", "few", "many", "other"].indexOf(category)];
    const form = forms[category === "one" ? 0 : forms.length - 1];
    return category === "many" ? (this.#language.of ?? "") + form : form;
  }

  /** The form of a noun that a great number has. */
  many(noun: Noun): string {
    const forms = noun.split("|");
    return forms.length === 4 ? forms[2] : forms.at(-1)!;
  }

  /** Plain digits with a decimal point. */
  value(written: string): string {
    const plain = latin(written)
      .replaceAll(/[ \u00a0\u202f]/g, "")
      .replace("−", "-");
    const { decimal } = this.#language;
    const other = decimal === "." ? "," : ".";
    // 3.14 in a German text is no number of thousands.
    if (!plain.includes(decimal) && /^-?\d+\.\d+$/.test(plain) && !/^-?\d{1,3}(?:\.\d{3})+$/.test(plain)) return plain;
    return plain.replaceAll(other, "").replace(decimal, ".");
  }
}

/** Full-width and Devanagari digits as those of ASCII. */
export function latin(digits: string): string {
  return digits.normalize("NFKC").replaceAll(/[०-९]/g, (one) => String(one.charCodeAt(0) - 0x966));
}

/**
 * A number as a language writes it: a pattern. Its groups are counted, since a rule tries every place of a text: without an end
 * a megabyte of them would take hours.
 */
export function numberPattern({ decimal }: Language): string {
  const group = decimal === "." ? `(?:,|[\\u00a0\\u202f])` : `(?:\\.|${blank})`;
  const fraction = `${decimal === "." ? "\\." : "[.,]"}${digit}+`;
  const grouped = `${digit}{1,3}(?:${group}${digit}{3}){1,99}(?!${digit})(?:${decimal === "." ? "\\." : ","}${digit}+)?`;
  // Indian groups, 12,34,567, have two digits.
  const indian = decimal === "." ? `|${digit}{1,2}(?:,${digit}{2}){1,99},${digit}{3}(?!${digit})` : "";
  return `(?:${grouped}${indian}|${digit}+(?:${fraction})?)`;
}
