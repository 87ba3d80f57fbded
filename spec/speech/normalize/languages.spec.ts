import { expect } from "chai";
import { MappedText } from "../../../speech/markup/source_map.ts";
import { loadRewriter } from "../../../speech/normalize/load.ts";
import { engineErrorOf } from "../../support/rejection.ts";

/** Written, and as it is spoken: numbers, ordinals, amounts, units, addresses, signs and abbreviations of each language. */
const spoken: Readonly<Record<string, readonly (readonly [written: string, spoken: string])[]>> = {
  en: [
    [
      "Dr. Smith paid $5.50, e.g. for 12 kg of rice.",
      "Doctor Smith paid five dollars and fifty cents, for example for twelve kilograms of rice.",
    ],
    [
      "It is -5 °F; 1 m; 3.5%; £0.99; €1.00.",
      "It is minus five degrees Fahrenheit; one meter; three point five percent; ninety-nine pence; one euro.",
    ],
    [
      "In 1995, in 1900, in 2005, in 1,500 cases.",
      "In nineteen ninety-five, in nineteen hundred, in two thousand five, in one thousand five hundred cases.",
    ],
    [
      "The 1980s and the 21st of May, the 1900s.",
      "The nineteen eighties and the twenty-first of May, the nineteen hundreds.",
    ],
    [
      "See www.example.com/a-b. Or jane_doe@mail.example.org!",
      "See www dot example dot com slash a dash b. Or jane underscore doe at mail dot example dot org!",
    ],
    [
      "It has 1,234,567 MP3 files, 10–20 km/h, at 10:30, 10:05, 10:00.",
      "It has one million two hundred thirty-four thousand five hundred sixty-seven MP three files, ten to twenty kilometers per hour, at ten thirty, ten oh five, ten.",
    ],
    ["$1.5 million; 5 million €.", "One point five million dollars; five million euros."],
    ["Pears, etc. They left. Pears, etc. and more.", "Pears, et cetera. They left. Pears, et cetera and more."],
    [
      "St. Michael's, No. 5, p. 55, agent 007.",
      "Saint Michael's, number five, page fifty-five, agent zero zero seven.",
    ],
    ["AT&T: 2 + 2 = 4, C++, a=b, v1.2.3.", "AT and T: two plus two equals four, C++, a=b, v one dot two dot three."],
    ["[laughs 3] ♪ In 2 [1] parts. 2 men.", "[laughs 3] ♪ In two [1] parts. Two men."],
  ],
  de: [
    [
      "Dr. Maier zahlte 1.234,50 € am 3. Oktober 1995.",
      "Doktor Maier zahlte eintausendzweihundertvierunddreißig Euro und fünfzig Cent am dritten Oktober neunzehnhundertfünfundneunzig.",
    ],
    [
      "Der 3. Mann lief 10 km/h bei -5 °C um 14:30 Uhr.",
      "Der dritte Mann lief zehn Kilometer pro Stunde bei minus fünf Grad Celsius um vierzehn Uhr dreißig.",
    ],
    [
      "Nr. 5, S. 12, 3,5 % usw. Das war 1 Stunde, z. B. 1 t.",
      "Nummer fünf, Seite zwölf, drei komma fünf Prozent und so weiter. Das war eine Stunde, zum Beispiel eine Tonne.",
    ],
    ["Es kostet 5 Mio. € bei 2 Mrd. Menschen.", "Es kostet fünf Millionen Euro bei zwei Milliarden Menschen."],
    [
      "Siehe www.beispiel.de/a & Pi = 3.14.",
      "Siehe www Punkt beispiel Punkt de Schrägstrich a und Pi gleich drei komma vierzehn.",
    ],
  ],
  es: [
    [
      "El Sr. García pagó 21 € y 1.000.000 € por 1 kg.",
      "El Señor García pagó veintiún euros y un millón de euros por un kilogramo.",
    ],
    ["La 3ª vez, el 1er piso, 3,5 %, 2 h.", "La tercera vez, el primer piso, tres coma cinco por ciento, dos horas."],
    [
      "EE. UU. tiene 21 t; p. 5; 5 millones €.",
      "Estados Unidos tiene veintiuna toneladas; página cinco; cinco millones de euros.",
    ],
    ["Escriba a ana@ejemplo.es.", "Escriba a ana arroba ejemplo punto es."],
  ],
  fr: [
    [
      "M. Dupont paie 12,50 € le 1er mai à 14 h 30.",
      "Monsieur Dupont paie douze euros et cinquante centimes le premier mai à quatorze heures trente.",
    ],
    [
      "Le 2e étage, la 1re fois, 1 t, -5 °C, 3,5 %.",
      "Le deuxième étage, la première fois, une tonne, moins cinq degrés Celsius, trois virgule cinq pour cent.",
    ],
    ["Il a 10 000 € & 2 millions €, n° 5.", "Il a dix mille euros et deux millions de euros, numéro cinq."],
  ],
  hi: [
    [
      "डॉ. शर्मा ने ₹50 और १२ किमी, 5वाँ, 5वीं, 3.5% दिया।",
      "डॉक्टर शर्मा ने पचास रुपये और बारह किलोमीटर, पाँचवाँ, पाँचवीं, तीन दशमलव पाँच प्रतिशत दिया।",
    ],
    ["12,34,567 लोग, 2 kg।", "बारह लाख चौंतीस हज़ार पाँच सौ सड़सठ लोग, दो किलोग्राम।"],
    ["a@b.in देखें", "a ऐट b डॉट in देखें"],
  ],
  it: [
    [
      "Il Sig. Rossi paga 12,50 € per 1 kg e 21 m.",
      "Il Signor Rossi paga dodici euro e cinquanta centesimi per un chilogrammo e ventuno metri.",
    ],
    [
      "Il 3º piano, la 2ª volta, 3,5 %, 1.600 euro ecc. Fine.",
      "Il terzo piano, la seconda volta, tre virgola cinque per cento, milleseicento euro eccetera. Fine.",
    ],
    ["Anna@esempio.it, pag. 5", "Anna chiocciola esempio punto it, pagina cinque"],
  ],
  ja: [
    ["3kgで¥500、10:30に25℃。", "三キログラムで五百円、十時三十分に二十五度。"],
    ["3.5%、第3回、１２人、時速80km/h。", "三点五パーセント、第三回、十二人、時速八十キロメートル。"],
    ["5＆6", "五アンド六"],
  ],
  ko: [
    [
      "3개와 20명이 10:30에 5kg, 3.5%, ₩500.",
      "세 개와 스무 명이 열 시 삼십 분에 오 킬로그램, 삼 점 오 퍼센트, 오백 원.",
    ],
    ["제3회, 2번째, 5층, 80km/h", "제삼회, 두 번째, 오층, 시속 팔십 킬로미터"],
  ],
  pl: [
    [
      "Dr Kowalski zapłacił 12,50 zł, 1 zł, 2 zł za 2 t i 22 kg.",
      "Doktor Kowalski zapłacił dwanaście złotych pięćdziesiąt groszy, jeden złoty, dwa złote za dwie tony i dwadzieścia dwa kilogramy.",
    ],
    [
      "Był 3 maja, np. 5 mln zł, w 1995 r. Koniec.",
      "Był trzeciego maja, na przykład pięć milionów złotych, w tysiąc dziewięćset dziewięćdziesiątym piątym roku. Koniec.",
    ],
    [
      "To 5 km, 3,5 % i 1 km/h, nr 5.",
      "To pięć kilometrów, trzy przecinek pięć procent i jeden kilometr na godzinę, numer pięć.",
    ],
  ],
  pt: [
    [
      "O Sr. Silva pagou R$ 12,50 por 2 t e 1 kg.",
      "O Senhor Silva pagou doze reais e cinquenta centavos por duas toneladas e um quilograma.",
    ],
    [
      "A 2ª vez, o 3º, 3,5 %, 1.000 m etc. Fim.",
      "A segunda vez, o terceiro, três vírgula cinco por cento, mil metros et cetera. Fim.",
    ],
  ],
  ru: [
    [
      "Д-р Иванов заплатил 21 ₽, 2 ₽ и 5,50 ₽ за 22 кг.",
      "Доктор Иванов заплатил двадцать один рубль, два рубля и пять рублей пятьдесят копеек за двадцать два килограмма.",
    ],
    [
      "Это 5 мая 1995 года, 3-й дом, 3-я улица, в 2005 году.",
      "Это пятого мая тысяча девятьсот девяносто пятого года, третий дом, третья улица, в две тысячи пятом году.",
    ],
    [
      "Рост 3,5 %, № 5, 2 мин и т. д. Конец.",
      "Рост три целых и пять десятых процента, номер пять, две минуты и так далее. Конец.",
    ],
  ],
  tr: [
    [
      "Dr. Yılmaz %50 ve 12,50 ₺ ödedi, 1923'te.",
      "Doktor Yılmaz yüzde elli ve on iki lira elli kuruş ödedi, bin dokuz yüz yirmi üç'te.",
    ],
    ["Bu 3. bölüm, 90 km/h, 5 kg vb. Son.", "Bu üçüncü bölüm, saatte doksan kilometre, beş kilogram ve benzeri. Son."],
  ],
  zh: [
    ["2个人在1995年付了¥50，3.5%，10:05。", "两个人在一九九五年付了五十元，百分之三点五，十点零五分。"],
    ["12人，第2个，2kg，A&B。", "十二人，第二个，二公斤，A和B。"],
  ],
};

describe("normalize: basic", () => {
  for (const [language, cases] of Object.entries(spoken))
    for (const [written, expected] of cases)
      it(`${language}: ${written}`, async () => {
        const rewrite = (await loadRewriter({ normalize: "basic" }, language))!;
        expect(rewrite(MappedText.of(written)).text.text).equal(expected);
      });

  it("refuses a language that it has no rules for", async () => {
    const error = await engineErrorOf(async () => await loadRewriter({ normalize: "basic" }, "xx"));
    expect([error.code, error.where]).deep.equal(["usage", "language"]);
  });

  it("leaves a text alone unless it is asked for", async () => {
    expect(await loadRewriter({}, "en")).equal(undefined);
    expect(await loadRewriter({ normalize: "none" }, "xx")).equal(undefined);
  });
});
