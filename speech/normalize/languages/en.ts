import { toCardinal, toOrdinal } from "n2words/en-US";
import { digit, type Language, type Speller } from "../language.ts";
import { rule } from "../rule.ts";

const months = "January|February|March|April|May|June|July|August|September|October|November|December";

export const en: Language = {
  tag: "en",
  cardinal: (value) => toCardinal(value),
  ordinal: (value) => toOrdinal(value),
  decimal: ".",
  space: " ",
  magnitudes: "thousand|million|billion|trillion",
  and: "and",
  currencies: {
    $: ["dollar|dollars", "cent|cents"],
    US$: ["US dollar|US dollars", "cent|cents"],
    "€": ["euro|euros", "cent|cents"],
    "£": ["pound|pounds", "penny|pence"],
    "¥": "yen",
    "₹": ["rupee|rupees", "paisa|paise"],
  },
  units: {
    "%": "percent",
    "°C": "degree Celsius|degrees Celsius",
    "°F": "degree Fahrenheit|degrees Fahrenheit",
    "°": "degree|degrees",
    mm: "millimeter|millimeters",
    cm: "centimeter|centimeters",
    m: "meter|meters",
    km: "kilometer|kilometers",
    "m²": "square meter|square meters",
    "km²": "square kilometer|square kilometers",
    "m³": "cubic meter|cubic meters",
    mg: "milligram|milligrams",
    g: "gram|grams",
    kg: "kilogram|kilograms",
    ml: "milliliter|milliliters",
    l: "liter|liters",
    L: "liter|liters",
    "km/h": "kilometer per hour|kilometers per hour",
    mph: "mile per hour|miles per hour",
    "m/s": "meter per second|meters per second",
    ft: "foot|feet",
    mi: "mile|miles",
    yd: "yard|yards",
    lb: "pound|pounds",
    lbs: "pounds",
    oz: "ounce|ounces",
    h: "hour|hours",
    min: "minute|minutes",
    s: "second|seconds",
    ms: "millisecond|milliseconds",
    Hz: "hertz",
    kHz: "kilohertz",
    MHz: "megahertz",
    GHz: "gigahertz",
    W: "watt|watts",
    kW: "kilowatt|kilowatts",
    kWh: "kilowatt hour|kilowatt hours",
    V: "volt|volts",
    kB: "kilobyte|kilobytes",
    MB: "megabyte|megabytes",
    GB: "gigabyte|gigabytes",
    TB: "terabyte|terabytes",
  },
  symbols: { "&": "and", "+": "plus", "=": "equals", "×": "times", "÷": "divided by", "±": "plus or minus" },
  address: ["dot", "slash", "at", "dash", "underscore", "colon"],
  to: "to",
  abbreviations: {
    "Dr.": "Doctor",
    "Mr.": "Mister",
    "Mrs.": "Missus",
    "Prof.": "Professor",
    "Jr.": "Junior",
    "Sr.": "Senior",
    "Gen.": "General",
    "Col.": "Colonel",
    "Capt.": "Captain",
    "Lt.": "Lieutenant",
    "Sgt.": "Sergeant",
    "Gov.": "Governor",
    "Sen.": "Senator",
    "Mt.": "Mount",
    "e.g.": "for example",
    "i.e.": "that is",
    "etc.": "et cetera.",
    "vs.": "versus",
    "approx.": "approximately",
    "Inc.": "Incorporated.",
    "Ltd.": "Limited.",
    "Co.": "Company.",
    "Corp.": "Corporation.",
    "dept.": "department",
    "w/o": "without",
  },
  beforeNumber: {
    "No.": "number",
    "Nos.": "numbers",
    "p.": "page",
    "pp.": "pages",
    "vol.": "volume",
    "ch.": "chapter",
    "fig.": "figure",
    "sec.": "section",
    "§": "section",
    "#": "number",
  },
  rules: (say) => [
    rule(
      new RegExp(`(?<!${digit})(${digit}{1,3}(?:,${digit}{3}){1,99}|${digit}+)(?:st|nd|rd|th)(?![\\p{L}\\p{N}])`, "gu"),
      ({ 1: number }) => say.ordinal(number),
    ),
    rule(/\bSt\.(?=\s+\p{Lu})/gu, () => "Saint"),
    // 10:05
    rule(
      /(?<![\d:])(\d{1,2}):0([1-9])(?![\d:])/gu,
      ({ 1: hours, 2: minute }) => `${say.number(hours)} oh ${say.number(minute)}`,
    ),
    // The 1990s; 's of a decade.
    rule(/(?<![\d.,])(1[1-9]|20)(\d0)['’]?s(?![\p{L}\p{N}])/gu, ({ 1: century, 2: decade }) =>
      decade === "00"
        ? plural(century === "20" ? "two thousand" : `${say.number(century)} hundred`)
        : `${say.number(century)} ${plural(say.number(decade))}`,
    ),
    // A year is said in halves; what follows these words and has four digits is one.
    rule(
      new RegExp(
        `(?<=\\b(?:in|since|until|till|before|after|during|year|circa|${months}|(?:${months}) \\d{1,2}(?:st|nd|rd|th)?,?) )(1[1-9]|20)(\\d\\d)(?![\\p{L}\\d]|[.,]\\d|[ \\u00a0]?[%°$€£])`,
        "giu",
      ),
      ({ 1: century, 2: rest }) => year(century, rest, say),
    ),
  ],
};

function plural(word: string): string {
  return word.endsWith("y") ? `${word.slice(0, -1)}ies` : `${word}s`;
}

function year(century: string, rest: string, say: Speller): string {
  if (century === "20" && rest.startsWith("0")) return say.number(century + rest);
  if (rest === "00") return `${say.number(century)} hundred`;
  return `${say.number(century)} ${rest.startsWith("0") ? `oh ${say.number(rest[1])}` : say.number(rest)}`;
}
