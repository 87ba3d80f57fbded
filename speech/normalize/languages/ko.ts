import { toCardinal } from "n2words/ko-KR";
import type { Language, Speller } from "../language.ts";
import { rule } from "../rule.ts";

/** What is counted with Korean numerals, and not with those from Chinese. */
const counters = "개|명|번째|번|시간|시|살|마리|권|잔|병|대|장|가지|사람|군데|그루|송이";
const ones = ["", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉"];
const tens = ["", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔"];

export const ko: Language = {
  tag: "ko",
  cardinal: (value) => toCardinal(value),
  ordinal: (value) => `제${toCardinal(value)}`,
  decimal: ".",
  space: " ",
  magnitudes: "만|억|조",
  and: "",
  currencies: { "₩": "원", $: "달러", "€": "유로", "£": "파운드", "¥": "엔" },
  units: {
    "%": "퍼센트",
    "°C": "도",
    "℃": "도",
    "°": "도",
    mm: "밀리미터",
    cm: "센티미터",
    m: "미터",
    km: "킬로미터",
    "m²": "제곱미터",
    "㎡": "제곱미터",
    "km²": "제곱킬로미터",
    mg: "밀리그램",
    g: "그램",
    kg: "킬로그램",
    t: "톤",
    ml: "밀리리터",
    L: "리터",
    "m/s": "미터 매 초",
    Hz: "헤르츠",
    MHz: "메가헤르츠",
    GHz: "기가헤르츠",
    W: "와트",
    kW: "킬로와트",
    V: "볼트",
    MB: "메가바이트",
    GB: "기가바이트",
    TB: "테라바이트",
  },
  symbols: { "&": "앤드", "+": "더하기", "=": "은", "×": "곱하기", "÷": "나누기" },
  address: ["점", "슬래시", "골뱅이", "하이픈", "밑줄", "콜론"],
  to: "에서",
  abbreviations: {},
  beforeNumber: { "No.": "넘버", "№": "넘버" },
  rules: (say) => [
    rule(/(?<!\d)(\d+(?:\.\d+)?)\s?km\/h/gu, ({ 1: number }) => `시속 ${say.number(number)} 킬로미터`),
    rule(
      /(?<!\d)(\d{1,2}):(\d{2})(?!\d)/gu,
      ({ 1: hours, 2: minutes }) =>
        `${native(Number(hours), say)} 시${minutes === "00" ? "" : ` ${say.number(String(Number(minutes)))} 분`}`,
    ),
    rule(
      new RegExp(`(?<![\\d.,제])(\\d{1,2}) ?(?=(?:${counters})(?!\\d))`, "gu"),
      ({ 1: number }) => `${native(Number(number), say)} `,
    ),
  ],
};

/** 1 to 99 before a counter; Korean has no other such numerals. */
function native(count: number, say: Speller): string {
  if (count < 1 || count > 99) return say.number(String(count));
  return count === 20 ? "스무" : tens[Math.floor(count / 10)] + ones[count % 10];
}
