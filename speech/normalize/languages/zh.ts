import { toCardinal } from "n2words/zh-Hans-CN";
import { digit, digits, type Language } from "../language.ts";
import { rule } from "../rule.ts";

/** Behind a numeral, before what is counted. */
const measures = "个只本张件条位次台辆座场种层杯瓶岁倍";

export const zh: Language = {
  tag: "zh",
  // n2words says 一十 for 十, as in the middle of a number.
  cardinal: (value) => toCardinal(value, { formal: false }).replace(/^一十/, "十"),
  ordinal: (value) => `第${toCardinal(value, { formal: false }).replace(/^一十/, "十")}`,
  decimal: ".",
  space: "",
  magnitudes: "万|亿|萬|億",
  and: "",
  currencies: { "¥": "元", "￥": "元", $: "美元", "€": "欧元", "£": "英镑" },
  units: {
    "°C": "摄氏度",
    "℃": "摄氏度",
    "°": "度",
    mm: "毫米",
    cm: "厘米",
    m: "米",
    km: "公里",
    "m²": "平方米",
    "㎡": "平方米",
    "km²": "平方公里",
    mg: "毫克",
    g: "克",
    kg: "公斤",
    t: "吨",
    ml: "毫升",
    L: "升",
    "m/s": "米每秒",
    Hz: "赫兹",
    MHz: "兆赫",
    GHz: "吉赫",
    W: "瓦",
    kW: "千瓦",
    V: "伏",
    MB: "兆字节",
    GB: "吉字节",
    TB: "太字节",
  },
  symbols: { "&": "和", "＆": "和", "+": "加", "=": "等于", "×": "乘", "÷": "除以" },
  address: ["点", "斜杠", "艾特", "杠", "下划线", "冒号"],
  to: "到",
  abbreviations: {},
  beforeNumber: { "No.": "第", "№": "第" },
  rules: (say) => [
    rule(
      new RegExp(`(?<!${digit})(${digit}+(?:\\.${digit}+)?)[%％]`, "gu"),
      ({ 1: number }) => `百分之${say.number(number)}`,
    ),
    rule(
      new RegExp(`(?<!${digit})(?:时速)?(${digit}+(?:\\.${digit}+)?)km/h`, "gu"),
      ({ 1: number }) => `时速${say.number(number)}公里`,
    ),
    // Years are read digit by digit.
    rule(new RegExp(`(?<!${digit})(${digit}{4})(?=年)`, "gu"), ({ 1: year }) => say.digits(year)),
    rule(new RegExp(`(?<![${digits}.第])[2２](?=[${measures}])`, "gu"), () => "两"),
    rule(new RegExp(`(?<!${digit})(${digit}{1,2})[:：](${digit}{2})(?!${digit})`, "gu"), ({ 1: hours, 2: minutes }) => {
      const rest = Number(minutes.normalize("NFKC"));
      const minute = rest === 0 ? "整" : `${rest < 10 ? "零" : ""}${say.number(String(rest))}分`;
      return `${Number(hours.normalize("NFKC")) === 2 ? "两" : say.number(String(Number(hours.normalize("NFKC"))))}点${minute}`;
    }),
  ],
};
