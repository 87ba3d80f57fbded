import { toCardinal, toOrdinal } from "n2words/hi-IN";
import { digit, type Language } from "../language.ts";
import { rule } from "../rule.ts";

export const hi: Language = {
  tag: "hi",
  cardinal: (value) => toCardinal(value),
  ordinal: (value) => toOrdinal(value),
  decimal: ".",
  space: " ",
  magnitudes: "हज़ार|हजार|लाख|करोड़|करोड़|अरब|मिलियन|बिलियन",
  and: "",
  currencies: {
    "₹": ["रुपया|रुपये", "पैसा|पैसे"],
    "रु.": ["रुपया|रुपये", "पैसा|पैसे"],
    $: ["डॉलर", "सेंट"],
    "€": ["यूरो", "सेंट"],
    "£": ["पाउंड", "पेंस"],
  },
  units: {
    "%": "प्रतिशत",
    "°C": "डिग्री सेल्सियस",
    "°": "डिग्री",
    "मि.मी.": "मिलीमीटर",
    "से.मी.": "सेंटीमीटर",
    "कि.मी.": "किलोमीटर",
    किमी: "किलोमीटर",
    "कि.ग्रा.": "किलोग्राम",
    किग्रा: "किलोग्राम",
    मी: "मीटर",
    mm: "मिलीमीटर",
    cm: "सेंटीमीटर",
    m: "मीटर",
    km: "किलोमीटर",
    g: "ग्राम",
    kg: "किलोग्राम",
    ml: "मिलीलीटर",
    l: "लीटर",
    "km/h": "किलोमीटर प्रति घंटा",
    "किमी/घंटा": "किलोमीटर प्रति घंटा",
    MB: "मेगाबाइट",
    GB: "गीगाबाइट",
  },
  symbols: { "&": "और", "+": "धन", "=": "बराबर", "×": "गुणा", "÷": "भाग" },
  address: ["डॉट", "स्लैश", "ऐट", "डैश", "अंडरस्कोर", "कोलन"],
  to: "से",
  abbreviations: {
    "डॉ.": "डॉक्टर",
    "प्रो.": "प्रोफेसर",
    "पं.": "पंडित",
    "कु.": "कुमारी",
    "उदा.": "उदाहरण",
    "ई.पू.": "ईसा पूर्व",
  },
  beforeNumber: { "सं.": "संख्या", "पृ.": "पृष्ठ", "नं.": "नंबर" },
  rules: (say) => [
    // 5वाँ, 5वें, 5वीं: the gender and case that are written.
    rule(new RegExp(`(${digit}{1,4})(?:-)?(वाँ|वां|वीं|वें)(?![\\p{L}\\p{M}])`, "gu"), ({ 1: number, 2: end }) => {
      const ordinal = say.ordinal(number);
      if (end === "वीं") return ordinal.replace(/वाँ$/, "वीं").replace(/ा$/, "ी");
      return end === "वें" ? ordinal.replace(/वाँ$/, "वें").replace(/ा$/, "े") : ordinal;
    }),
  ],
};
