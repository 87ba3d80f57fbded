import { toCardinal, toOrdinal } from "n2words/pl-PL";
import type { Language } from "../language.ts";
import { rule } from "../rule.ts";

const months = "stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|września|października|listopada|grudnia";

export const pl: Language = {
  tag: "pl",
  cardinal: (value, feminine) => toCardinal(value, { gender: feminine ? "feminine" : "masculine" }),
  ordinal: (value) => toOrdinal(value),
  decimal: ",",
  space: " ",
  magnitudes: "tys\\.|mln|mld|tysiąc[ea]?|tysięcy|milion(?:y|ów)?|miliard(?:y|ów)?",
  and: "",
  currencies: {
    $: ["dolar|dolary|dolarów|dolara", "cent|centy|centów|centa"],
    "€": ["euro", "cent|centy|centów|centa"],
    "£": ["funt|funty|funtów|funta", "pens|pensy|pensów|pensa"],
    zł: ["złoty|złote|złotych|złotego", "grosz|grosze|groszy|grosza"],
    "¥": "jen|jeny|jenów|jena",
  },
  units: {
    "%": "procent|procent|procent|procent",
    "°C": "stopień Celsjusza|stopnie Celsjusza|stopni Celsjusza|stopnia Celsjusza",
    "°": "stopień|stopnie|stopni|stopnia",
    mm: "milimetr|milimetry|milimetrów|milimetra",
    cm: "centymetr|centymetry|centymetrów|centymetra",
    m: "metr|metry|metrów|metra",
    km: "kilometr|kilometry|kilometrów|kilometra",
    "m²": "metr kwadratowy|metry kwadratowe|metrów kwadratowych|metra kwadratowego",
    "km²": "kilometr kwadratowy|kilometry kwadratowe|kilometrów kwadratowych|kilometra kwadratowego",
    mg: "miligram|miligramy|miligramów|miligrama",
    g: "gram|gramy|gramów|grama",
    kg: "kilogram|kilogramy|kilogramów|kilograma",
    t: "tona|tony|ton|tony",
    ml: "mililitr|mililitry|mililitrów|mililitra",
    l: "litr|litry|litrów|litra",
    "km/h": "kilometr na godzinę|kilometry na godzinę|kilometrów na godzinę|kilometra na godzinę",
    h: "godzina|godziny|godzin|godziny",
    "godz.": "godzina|godziny|godzin|godziny",
    min: "minuta|minuty|minut|minuty",
    s: "sekunda|sekundy|sekund|sekundy",
    Hz: "herc|herce|herców|herca",
    W: "wat|waty|watów|wata",
    kW: "kilowat|kilowaty|kilowatów|kilowata",
    V: "wolt|wolty|woltów|wolta",
    MB: "megabajt|megabajty|megabajtów|megabajta",
    GB: "gigabajt|gigabajty|gigabajtów|gigabajta",
    tys: "tysiąc|tysiące|tysięcy|tysiąca",
    "tys.": "tysiąc|tysiące|tysięcy|tysiąca",
    mln: "milion|miliony|milionów|miliona",
    mld: "miliard|miliardy|miliardów|miliarda",
  },
  feminine: new Set([
    "tona|tony|ton|tony",
    "godzina|godziny|godzin|godziny",
    "minuta|minuty|minut|minuty",
    "sekunda|sekundy|sekund|sekundy",
  ]),
  symbols: { "&": "i", "+": "plus", "=": "równa się", "×": "razy", "÷": "podzielić przez", "±": "plus minus" },
  address: ["kropka", "ukośnik", "małpa", "myślnik", "podkreślnik", "dwukropek"],
  to: "do",
  abbreviations: {
    dr: "doktor",
    "prof.": "profesor",
    mgr: "magister",
    "inż.": "inżynier",
    "św.": "święty",
    "ul.": "ulica",
    "al.": "aleja",
    "np.": "na przykład",
    "tzn.": "to znaczy",
    "tj.": "to jest",
    "m.in.": "między innymi",
    "itd.": "i tak dalej.",
    "itp.": "i tym podobne.",
    "ok.": "około",
    "tzw.": "tak zwany",
    "p.n.e.": "przed naszą erą.",
    "n.e.": "naszej ery.",
  },
  beforeNumber: {
    nr: "numer",
    "s.": "strona",
    "str.": "strona",
    "rozdz.": "rozdział",
    "rys.": "rysunek",
    "art.": "artykuł",
    "§": "paragraf",
  },
  rules: (say) => [
    // "w 1995 r." is "w tysiąc dziewięćset dziewięćdziesiątym piątym roku".
    rule(/(?<!\d)(\d{3,4}) r\.(?!\p{L})/gu, ({ 1: number, index, input, 0: { length } }) => {
      const ordinal = say.ordinal(number);
      const year = /(?:^|\s)[Ww] $/.test(input.slice(Math.max(0, index - 3), index))
        ? locative(ordinal)
        : genitive(ordinal);
      return `${year} roku${/^\s*(?:$|\p{Lu})/u.test(input.slice(index + length)) ? "." : ""}`;
    }),
    // "3 maja" is "trzeciego maja".
    rule(new RegExp(`(?<!\\d)(\\d{1,2})(?=\\s(?:${months}))`, "gu"), ({ 1: number }) => genitive(say.ordinal(number))),
    rule(/(?<!\d)(\d{1,4})\.(?=\s\p{Ll})/gu, ({ 1: number }) => say.ordinal(number)),
  ],
};

/** Of an ordinal: pierwszy, pierwszym. */
function locative(ordinal: string): string {
  return ordinal.replaceAll(/(?<=\p{L})[yi](?=\s|$)/gu, "$&m");
}

/** Of an ordinal: pierwszy, pierwszego; trzeci, trzeciego; dwudziesty drugi, dwudziestego drugiego. */
function genitive(ordinal: string): string {
  return ordinal.replaceAll(/(?<=\p{L})(y|i)(?=\s|$)/gu, (end) => (end === "y" ? "ego" : "iego"));
}
