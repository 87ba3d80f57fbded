import { expect } from "chai";
import { lettersOf } from "../../../speech/split/measure.ts";
import { splitText, type SplitOptions } from "../../../speech/split/pieces.ts";
import { sentencesOf } from "../../../speech/split/sentences.ts";
import { Random } from "../../support/mutations/mutations.ts";

/** pragmatic_segmenter's Golden Rules, without its inline lists: language, text, sentences. */
const golden: readonly (readonly [language: string, text: string, sentences: readonly string[]])[] = [
  ["en", "Hello World. My name is Jonas.", ["Hello World.", "My name is Jonas."]],
  ["en", "What is your name? My name is Jonas.", ["What is your name?", "My name is Jonas."]],
  ["en", "There it is! I found it.", ["There it is!", "I found it."]],
  ["en", "My name is Jonas E. Smith.", ["My name is Jonas E. Smith."]],
  ["en", "Please turn to p. 55.", ["Please turn to p. 55."]],
  ["en", "Were Jane and co. at the party?", ["Were Jane and co. at the party?"]],
  [
    "en",
    "They closed the deal with Pitt, Briggs & Co. at noon.",
    ["They closed the deal with Pitt, Briggs & Co. at noon."],
  ],
  ["en", "Let's ask Jane and co. They should know.", ["Let's ask Jane and co.", "They should know."]],
  [
    "en",
    "They closed the deal with Pitt, Briggs & Co. It closed yesterday.",
    ["They closed the deal with Pitt, Briggs & Co.", "It closed yesterday."],
  ],
  ["en", "I can see Mt. Fuji from here.", ["I can see Mt. Fuji from here."]],
  ["en", "St. Michael's Church is on 5th st. near the light.", ["St. Michael's Church is on 5th st. near the light."]],
  ["en", "That is JFK Jr.'s book.", ["That is JFK Jr.'s book."]],
  ["en", "I visited the U.S.A. last year.", ["I visited the U.S.A. last year."]],
  ["en", "I live in the E.U. How about you?", ["I live in the E.U.", "How about you?"]],
  ["en", "I live in the U.S. How about you?", ["I live in the U.S.", "How about you?"]],
  ["en", "I work for the U.S. Government in Virginia.", ["I work for the U.S. Government in Virginia."]],
  ["en", "I have lived in the U.S. for 20 years.", ["I have lived in the U.S. for 20 years."]],
  ["en", "She has $100.00 in her bag.", ["She has $100.00 in her bag."]],
  ["en", "She has $100.00. It is in her bag.", ["She has $100.00.", "It is in her bag."]],
  [
    "en",
    "He teaches science (He previously worked for 5 years as an engineer.) at the local University.",
    ["He teaches science (He previously worked for 5 years as an engineer.) at the local University."],
  ],
  [
    "en",
    "Her email is Jane.Doe@example.com. I sent her an email.",
    ["Her email is Jane.Doe@example.com.", "I sent her an email."],
  ],
  [
    "en",
    "The site is: https://www.example.50.com/new-site/awesome_content.html. Please check it out.",
    ["The site is: https://www.example.50.com/new-site/awesome_content.html.", "Please check it out."],
  ],
  ["en", "She turned to him, 'This is great.' she said.", ["She turned to him, 'This is great.' she said."]],
  [
    "en",
    'She turned to him, "This is great." She held the book out to show him.',
    ['She turned to him, "This is great."', "She held the book out to show him."],
  ],
  ["en", "Hello!! Long time no see.", ["Hello!!", "Long time no see."]],
  ["en", "Hello?? Who is there?", ["Hello??", "Who is there?"]],
  [
    "en",
    "You can find it at N°. 1026.253.553. That is where the treasure is.",
    ["You can find it at N°. 1026.253.553.", "That is where the treasure is."],
  ],
  ["en", "She works at Yahoo! in the accounting department.", ["She works at Yahoo! in the accounting department."]],
  [
    "en",
    "We make a good team, you and I. Did you see Albert I. Jones yesterday?",
    ["We make a good team, you and I.", "Did you see Albert I. Jones yesterday?"],
  ],
  ["en", "I never meant that.... She left the store.", ["I never meant that....", "She left the store."]],
  [
    "en",
    "This is a sentence\ncut off in the middle because pdf.",
    ["This is a sentence\ncut off in the middle because pdf."],
  ],
  [
    "de",
    "„Ich habe heute keine Zeit“, sagte die Frau und flüsterte leise: „Und auch keine Lust.“ Wir haben 1.000.000 Euro.",
    [
      "„Ich habe heute keine Zeit“, sagte die Frau und flüsterte leise: „Und auch keine Lust.“",
      "Wir haben 1.000.000 Euro.",
    ],
  ],
  [
    "de",
    "Es gibt jedoch einige Vorsichtsmaßnahmen, die Du ergreifen kannst, z. B. ist es sehr empfehlenswert, dass Du Dein Zuhause von allem Junkfood befreist.",
    [
      "Es gibt jedoch einige Vorsichtsmaßnahmen, die Du ergreifen kannst, z. B. ist es sehr empfehlenswert, dass Du Dein Zuhause von allem Junkfood befreist.",
    ],
  ],
  [
    "de",
    "Was sind die Konsequenzen der Abstimmung vom 12. Juni?",
    ["Was sind die Konsequenzen der Abstimmung vom 12. Juni?"],
  ],
  ["ja", "これはペンです。それはマーカーです。", ["これはペンです。", "それはマーカーです。"]],
  ["ja", "それは何ですか？ペンですか？", ["それは何ですか？", "ペンですか？"]],
  ["ja", "良かったね！すごい！", ["良かったね！", "すごい！"]],
  [
    "ja",
    "自民党税制調査会の幹部は、「引き下げ幅は３．２９％以上を目指すことになる」と指摘していて、今後、公明党と合意したうえで、３０日に決定する与党税制改正大綱に盛り込むことにしています。２％台後半を目指すとする方向で最終調整に入りました。",
    [
      "自民党税制調査会の幹部は、「引き下げ幅は３．２９％以上を目指すことになる」と指摘していて、今後、公明党と合意したうえで、３０日に決定する与党税制改正大綱に盛り込むことにしています。",
      "２％台後半を目指すとする方向で最終調整に入りました。",
    ],
  ],
  ["ja", "フレンチトースト食べたい。「行こう。」と言った。", ["フレンチトースト食べたい。", "「行こう。」と言った。"]],
  ["en", "At 5 a.m. Mr. Smith went to the bank.", ["At 5 a.m. Mr. Smith went to the bank."]],
  [
    "de",
    "Am 3. Oktober kam Dr. Maier, d. h. der Arzt. Er blieb.",
    ["Am 3. Oktober kam Dr. Maier, d. h. der Arzt.", "Er blieb."],
  ],
  ["fr", "M. Dupont est là. Il attend.", ["M. Dupont est là.", "Il attend."]],
  ["es", "El Sr. García vive aquí. ¿Lo conoces?", ["El Sr. García vive aquí.", "¿Lo conoces?"]],
  ["zh", "你好。今天天气很好！我们走吧？", ["你好。", "今天天气很好！", "我们走吧？"]],
  ["hi", "यह एक कलम है। वह किताब है।", ["यह एक कलम है।", "वह किताब है।"]],
];

function sentences(text: string, language: string): string[] {
  return sentencesOf(text, { start: 0, end: text.length }, language).map(({ start, end }) => text.slice(start, end));
}

function pieces(text: string, options: SplitOptions = {}): string[] {
  return splitText(text, options).map(({ start, end }) => text.slice(start, end));
}

describe("sentencesOf", () => {
  for (const [language, text, expected] of golden)
    it(`${language}: ${text.slice(0, 60)}`, () => expect(sentences(text, language)).deep.equal(expected));
});

describe("splitText", () => {
  const fox = "The quick brown fox jumps over the lazy dog, and then it runs away; nobody saw it. ";

  it("keeps every character but the white space between pieces, for any Unicode, and no piece over the limit", () => {
    const random = new Random(1);
    const alphabet = [
      "a",
      "B",
      " ",
      " ",
      " ",
      "\n",
      "\n\n",
      ". ",
      "! ",
      "? ",
      ", ",
      "。",
      "、",
      "「",
      "」",
      "’",
      "“",
      "\u0301",
      "\u200d",
      "👩‍🚀",
      "\ud800",
      "\u2028",
      "漢",
      "ひ",
      "한",
      "ع",
      "।",
      "\u00a0",
      "1",
      ".",
      "Dr. ",
      "e.g. ",
      "\t",
      "\r\n",
      "\u0000",
      "—",
      "word ",
      "x".repeat(90),
    ];
    for (let run = 0; run < 400; run++) {
      const text = Array.from({ length: random.below(120) }, () => random.pick(alphabet)).join("");
      const language = ["en", "de", "ja", "hi"][run % 4];
      let at = 0;
      for (const { start, end } of splitText(text, { language, shortFirst: run % 2 === 0 })) {
        expect(text.slice(at, start), JSON.stringify(text)).match(/^\s*$/);
        expect(start).below(end);
        expect(/^\s|\s$/.test(text.slice(start, end))).equal(false);
        expect(lettersOf(text.slice(start, end))).most(200);
        at = end;
      }
      expect(text.slice(at)).match(/^\s*$/);
    }
  });

  it("joins sentences up to the goal, and cuts what is too long at clauses, words, then graphemes", () => {
    expect(pieces(fox.repeat(3)).map((piece) => piece.length)).deep.equal([82, 82, 82]);
    expect(pieces("Yes. No. Perhaps. Who knows?")).deep.equal(["Yes. No. Perhaps. Who knows?"]);
    const clauses = `${"a clause of twenty-six xx, ".repeat(12)}end.`;
    for (const piece of pieces(clauses).slice(0, -1)) expect(piece).match(/xx,$/);
    for (const piece of pieces(`${"word ".repeat(100)}.`)) expect(piece).match(/^(word ?)+ ?\.?$/);
    expect(pieces("👩‍🚀".repeat(90)).join("")).equal("👩‍🚀".repeat(90));
    for (const piece of pieces("👩‍🚀".repeat(90))) expect(piece).match(/^(👩‍🚀)+$/u);
  });

  it("leaves no piece under 20 letters where a neighbour of the paragraph can take it", () => {
    expect(
      pieces(
        `${"A sentence of some length that fills its piece with words, as sentences in books often do; it goes on and on and on, up to here where it ends. "}No. ${fox}`,
      ),
    ).deep.equal([
      "A sentence of some length that fills its piece with words, as sentences in books often do; it goes on and on and on, up to here where it ends. No.",
      fox.trim(),
    ]);
    expect(pieces("No.\n\nYes, and a longer sentence follows here.")).length(2);
  });

  it("tells what ends a piece", () => {
    const ends = splitText(`${fox.repeat(3)}\n\n${"word ".repeat(60)}`).map((piece) => piece.ends);
    expect(ends).deep.equal(["sentence", "sentence", "paragraph", "clause", "paragraph"]);
  });

  it("counts a character of Chinese as three letters", () => {
    for (const piece of pieces("我们今天去公园散步，天气很好。".repeat(20))) expect([...piece].length).most(60);
  });

  it("begins with a clause where a stream asks for it, unless a rest of a word would be left", () => {
    expect(pieces(fox, { shortFirst: true })[0]).equal("The quick brown fox jumps over the lazy dog,");
    expect(pieces("It was the best of all times, sir.", { shortFirst: true })).length(1);
  });

  it("obeys a checkpoint that holds less", () => {
    const fits = (text: string): boolean => text.split(/\s+/).length <= 5;
    for (const piece of pieces(fox, { fits })) expect(piece.split(" ").length).most(5);
    expect(pieces(fox, { fits }).join(" ")).equal(fox.trim());
  });
});
