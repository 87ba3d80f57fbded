import { toCardinal } from "n2words/ja-JP";
import { digit, type Language } from "../language.ts";
import { rule } from "../rule.ts";

export const ja: Language = {
  tag: "ja",
  cardinal: (value) => toCardinal(value),
  ordinal: (value) => `${toCardinal(value)}番目`,
  decimal: ".",
  space: "",
  magnitudes: "万|億|兆",
  and: "",
  currencies: { "¥": "円", "￥": "円", $: "ドル", "€": "ユーロ", "£": "ポンド" },
  units: {
    "%": "パーセント",
    "％": "パーセント",
    "°C": "度",
    "℃": "度",
    "°": "度",
    mm: "ミリメートル",
    cm: "センチメートル",
    m: "メートル",
    km: "キロメートル",
    "㎞": "キロメートル",
    "m²": "平方メートル",
    "㎡": "平方メートル",
    "km²": "平方キロメートル",
    mg: "ミリグラム",
    g: "グラム",
    kg: "キログラム",
    t: "トン",
    ml: "ミリリットル",
    L: "リットル",
    "m/s": "メートル毎秒",
    Hz: "ヘルツ",
    MHz: "メガヘルツ",
    GHz: "ギガヘルツ",
    W: "ワット",
    kW: "キロワット",
    V: "ボルト",
    MB: "メガバイト",
    GB: "ギガバイト",
    TB: "テラバイト",
  },
  symbols: { "&": "アンド", "＆": "アンド", "+": "足す", "=": "イコール", "×": "かける", "÷": "割る" },
  address: ["ドット", "スラッシュ", "アット", "ハイフン", "アンダーバー", "コロン"],
  to: "から",
  abbreviations: {},
  beforeNumber: { "No.": "ナンバー", "№": "ナンバー", "§": "セクション" },
  rules: (say) => [
    rule(
      new RegExp(`(?<!${digit})(?:時速)?(${digit}+(?:\\.${digit}+)?)km/h`, "gu"),
      ({ 1: number }) => `時速${say.number(number)}キロメートル`,
    ),
    rule(new RegExp(`(?<!${digit})(${digit}{1,2})[:：](${digit}{2})(?!${digit})`, "gu"), ({ 1: hours, 2: minutes }) => {
      const rest = say.number(String(Number(minutes.normalize("NFKC"))));
      return `${say.number(hours)}時${rest === "零" ? "" : `${rest}分`}`;
    }),
  ],
};
