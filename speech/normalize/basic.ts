import { digit, digits, type Language } from "./language.ts";
import { blank, latin, numberPattern, Numerals } from "./numerals.ts";
import { rule, type Rule } from "./rule.ts";

/** A letter or digit of a word that spaces separate: other scripts have numbers in the middle of their words. */
const inWord = "(?![\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}])[\\p{L}\\p{M}\\p{N}]";
const notBehindWord = `(?<!${inWord})`;
const notBeforeWord = `(?!${inWord})`;

/** Numbers, ordinals, amounts, units, addresses, signs and abbreviations, as a language says them. */
export function basicRules(language: Language): Rule[] {
  const say = new Numerals(language);
  return [
    ...addresses(language, say),
    ...abbreviations(language),
    ...(language.rules?.(say) ?? []),
    ...amounts(language, say),
    units(language, say),
    ...numbers(language, say),
    symbols(language),
  ];
}

function addresses({ address }: Language, say: Numerals): Rule[] {
  const [dot, slash, at, dash, underscore, colon] = address;
  const names: Readonly<Record<string, string>> = {
    ...{ ".": dot, "/": slash, "@": at, "-": dash, _: underscore, ":": colon },
  };
  const spoken = ([whole]: RegExpExecArray): string =>
    whole
      .replace(/^[a-z]+:\/\//i, "")
      .replace(/\/$/, "")
      .split(/([./@_:-]|[0-9]+)/)
      .filter((part) => part !== "")
      .map((part) => names[part] ?? (/^[0-9]+$/.test(part) ? say.number(part) : part))
      .join(" ");
  const inside = "[\\p{L}\\p{N}_~%/?#=&+:@.-]*[\\p{L}\\p{N}_/]";
  return [
    rule(new RegExp(`(?<![\\p{L}\\p{N}])(?:https?://|www\\.)${inside}`, "giu"), spoken),
    rule(/(?<![\p{L}\p{N}._+-])[\p{L}\p{N}._+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*\.\p{L}{2,}/gu, spoken),
    rule(
      /(?<![\p{L}\p{N}@.-])[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net)(?:\/[\p{L}\p{N}_/.-]*[\p{L}\p{N}_/])?(?![\p{L}\p{N}-])/giu,
      spoken,
    ),
  ];
}

function abbreviations({ abbreviations, beforeNumber = {} }: Language): Rule[] {
  const start = `(?<![\\p{L}\\p{M}\\p{N}.])`;
  const plain = new RegExp(`${start}(${alternatives(abbreviations)})(?![\\p{L}\\p{M}\\p{N}])`, "giu");
  const counted = new RegExp(`${start}(${alternatives(beforeNumber)})(?=${blank}?${digit})`, "giu");
  return [
    rule(plain, (match) => {
      const spoken = wordFor(match[1], abbreviations);
      const end = match.index + match[1].length;
      return spoken && withStop(spoken, match[1], match.input.slice(end, end + 20));
    }),
    rule(counted, ({ 1: written }) => wordFor(written, beforeNumber)),
  ];
}

/** An entry in small letters counts with a capital too, at the beginning of a sentence. */
function wordFor(written: string, words: Readonly<Record<string, string>>): string | undefined {
  if (Object.hasOwn(words, written)) return words[written];
  const small = written[0].toLowerCase() + written.slice(1);
  if (!Object.hasOwn(words, small)) return undefined;
  const spoken = words[small];
  return spoken[0].toUpperCase() + spoken.slice(1);
}

/** The stop of an abbreviation is the sentence's too, if that ends there. */
function withStop(spoken: string, written: string, after: string): string {
  const word = spoken.replace(/\.$/, "");
  if (!written.endsWith(".")) return word;
  const isLast = /^["'’”»)\]]*\s*$/.test(after) || /^["'’”»)\]]*(?:\r?\n){2}/.test(after);
  const isEnd = isLast || (spoken.endsWith(".") && /^["'’”»)\]]*\s+["'“‘„«(]*\p{Lu}/u.test(after));
  return isEnd ? `${word}.` : word;
}

function amounts(language: Language, say: Numerals): Rule[] {
  const { currencies, magnitudes } = language;
  const sign = `(${alternatives(currencies)})`;
  const number = `(${numberPattern(language)})(?:${blank}?(${magnitudes})${notBeforeWord})?`;
  return [
    rule(new RegExp(`${notBehindWord}${sign}${blank}?${number}`, "gu"), ({ 1: name, 2: written, 3: magnitude }) =>
      amount(language, say, name, written, magnitude),
    ),
    rule(
      new RegExp(`${notBehindWord}${number}${blank}?${sign}${notBeforeWord}`, "gu"),
      ({ 1: written, 2: magnitude, 3: name }) => amount(language, say, name, written, magnitude),
    ),
  ];
}

/** `5.10` of a currency, or `5 million` of it. */
function amount(
  { currencies, units, of = "", and, space }: Language,
  say: Numerals,
  sign: string,
  written: string,
  magnitude: string | undefined,
): string {
  const currency = currencies[sign];
  const [unit, hundredth] = typeof currency === "string" ? [currency] : currency;
  if (magnitude !== undefined) {
    const isShort = Object.hasOwn(units, magnitude); // Mio., mln
    const count = isShort ? say.counted(written, units[magnitude]) : [say.number(written), magnitude].join(space);
    return [count, of + say.many(unit)].join(space);
  }
  const [whole, fraction] = say.value(written).split(".");
  if (hundredth === undefined || fraction?.length !== 2) return say.counted(written, unit);
  const rest = fraction === "00" ? [] : [say.counted(String(Number(fraction)), hundredth)];
  if (rest.length > 0 && Number(whole) === 0) return rest[0];
  return [say.counted(whole, unit), ...rest].join(and === "" ? " " : ` ${and} `);
}

function units(language: Language, say: Numerals): Rule {
  const unit = `(${alternatives(language.units)})(?![²³/])${notBeforeWord}`;
  const pattern = new RegExp(`${notBehindWord}${signed(language)}${blank}?${unit}`, "gu");
  return rule(pattern, ({ 1: written, 2: name }) => say.counted(written, language.units[name]));
}

/** A minus belongs to a number if it stands behind nothing that it could join. */
function signed(language: Language): string {
  return `((?:${notBehindWord}[-−])?${numberPattern(language)})`;
}

function numbers(language: Language, say: Numerals): Rule[] {
  const { address, to, space } = language;
  const number = numberPattern(language);
  const grouped = `${digit}{1,3}(?:\\.${digit}{3})+(?!${digit}|\\.)`;
  return [
    // 1.2.3 of a version, 192.168.0.1; not 1.234.567 of a language that writes thousands so.
    rule(new RegExp(`(?<![${digits}.])(?!${grouped})${digit}+(?:\\.${digit}+){2,}`, "gu"), ([all]) =>
      all
        .split(".")
        .map((part) => say.number(part))
        .join(` ${address[0]} `),
    ),
    // 10:30
    rule(
      new RegExp(`(?<![${digits}:])(${digit}{1,2}):(${digit}{2})(?![${digits}:])`, "gu"),
      ({ 1: hours, 2: minutes }) =>
        [say.number(hours), ...(Number(latin(minutes)) === 0 ? [] : [say.number(minutes)])].join(" "),
    ),
    // 10–20: the second may have a unit.
    rule(new RegExp(`(?<![${digits}])(${number})–(?=${digit})`, "gu"), ({ 1: from }) =>
      [say.number(from), to, ""].join(space),
    ),
    rule(new RegExp(signed(language), "gu"), ({ 1: written }) => say.number(written)),
  ];
}

function symbols({ symbols, space }: Language): Rule {
  const pattern = new RegExp(`${blank}?(${alternatives(symbols)})${blank}?`, "gu");
  return rule(pattern, ({ 0: all, 1: sign, index, input }) => {
    const [before, after] = [input.slice(index - 1, index), input.slice(index + all.length)[0] ?? ""];
    const isSum = all.length === sign.length + 2 || (/[\p{N})]/u.test(before) && /[\p{N}(]/u.test(after));
    if ((sign === "+" || sign === "=") && !isSum) return undefined; // C++, a=b
    const [left, right] = [before, after].map((side) => (side === "" || /\s/.test(side) ? "" : space));
    return left + symbols[sign] + right;
  });
}

/** The names of a table as alternatives of a pattern, longer ones first. */
function alternatives(table: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(table).sort((a, b) => b.length - a.length);
  // Of nothing: a pattern that matches nowhere.
  return names.length === 0 ? "(?!)" : names.map((name) => name.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&")).join("|");
}
