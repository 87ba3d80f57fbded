import { expect } from "chai";
import { EngineError } from "../../../engine/errors.ts";
import { MappedText } from "../../../speech/markup/source_map.ts";
import { lexiconOf, readLexicon } from "../../../speech/normalize/lexicon.ts";
import { loadRewriter } from "../../../speech/normalize/load.ts";
import { planSpeech } from "../../../speech/plan.ts";
import { Random } from "../../support/mutations/mutations.ts";

describe("what is spoken otherwise than written", () => {
  it("keeps every other character, and the offsets of the source, in every language", async () => {
    const random = new Random(5);
    const parts = [
      ...[
        "12",
        "3.5",
        "1,234",
        "1.000,5",
        "$5",
        "€ ",
        "kg",
        "km/h ",
        "%",
        "№",
        "№ 5",
        "3rd ",
        "3. ",
        "10:30",
        "10–20",
        "-5 °C",
        "１２",
        "१२",
      ],
      ...[
        "Dr. ",
        "e.g. ",
        "etc. ",
        "z. B. ",
        "www.a.com",
        "a@b.org ",
        "&",
        "[laughs 3]",
        "[",
        "]",
        "♪",
        "\n\n",
        " ",
        " ",
        ". ",
        "年",
        "个",
        "3개",
      ],
      ...["word ", "слово ", "漢字", "한글", "\ud800", "👩‍🚀", "\u0301", "\u0000", "ß", "İ", "0".repeat(30)],
    ];
    const languages = ["en", "de", "es", "fr", "hi", "it", "ja", "ko", "pl", "pt", "ru", "tr", "zh"];
    for (const language of languages) {
      const rewrite = (await loadRewriter({ normalize: "basic", lexicon: { word: "verb", 漢: "kan" } }, language))!;
      for (let run = 0; run < 40; run++) {
        const source = Array.from({ length: random.below(30) }, () => random.pick(parts)).join("");
        const { text, changes } = rewrite(MappedText.of(source));
        let [at, from, rebuilt] = [0, 0, ""];
        for (const change of changes) {
          const [start, end] = change.source;
          expect(source.slice(start, end)).equal(change.written);
          // What lies between two changes is as it was, and so is where it is from.
          expect(text.text.slice(at, change.at), JSON.stringify(source)).equal(source.slice(from, start));
          if (at < change.at)
            expect(text.sourceOf({ start: at, end: change.at })).deep.equal({ start: from, end: start });
          rebuilt += source.slice(from, start) + change.written;
          const after = changes[changes.indexOf(change) + 1];
          from = end;
          at = text.text.length - (source.length - end);
          if (after !== undefined) at = after.at - (after.source[0] - end);
          expect(text.text.slice(change.at, at).trim()).equal(change.spoken.trim());
          expect(text.sourceOf({ start: change.at, end: at })).deep.equal({ start, end });
        }
        expect(rebuilt + source.slice(from)).equal(source);
        expect(text.text.slice(at)).equal(source.slice(from));
      }
    }
  });

  it("is told with the piece that it is in, at the place in the source", async () => {
    const rewrite = (await loadRewriter({ normalize: "basic" }, "en"))!;
    const source = "<speak>He has 12&#32;kg &amp; more.<p>And 5 m.</p></speak>";
    const { pieces } = planSpeech(source, { rewrite });
    expect(pieces.map(({ text }) => text)).deep.equal(["He has twelve kilograms and more.", "And five meters."]);
    expect(pieces[0].changes).deep.equal([
      { source: [14, 23], written: "12 kg", spoken: "twelve kilograms" },
      { source: [23, 30], written: " & ", spoken: " and " },
    ]);
    expect(source.slice(...pieces[1].source)).equal("And 5 m.");
    const stretches = pieces[0].spans!.map(([, from, to]) => source.slice(from, to));
    expect(stretches).deep.equal(["He has ", "12&#32;kg", " &amp; ", "more."]);
    expect(pieces[0].spans!.reduce((sum, [length]) => sum + length, 0)).equal(pieces[0].text.length);
    expect(planSpeech("Nothing here.", { rewrite }).pieces[0]).not.have.any.keys("changes", "spans");
  });

  it("lets sentences end where they ended", async () => {
    const rewrite = (await loadRewriter({ normalize: "basic" }, "en"))!;
    const long = "x".repeat(100);
    const { pieces } = planSpeech(`He saw ${long} of them. 2 men left ${long}, etc. 3 stayed.`, { rewrite });
    expect(pieces.map(({ text }) => text.slice(0, 7))).deep.equal(["He saw ", "Two men"]);
  });

  describe("by a lexicon", () => {
    const say = async (lexicon: Record<string, string> | string, text: string): Promise<string> =>
      (await loadRewriter({ lexicon }, "en"))!(MappedText.of(text)).text.text;

    it("finds whole words, in any case if they are in small letters, longer ones first", async () => {
      const lexicon = { gif: "jif", US: "U S", "new york": "Noo Yawk", york: "Yawk" };
      expect(await say(lexicon, "A GIF, gifs; US us; New York, York.")).equal("A jif, gifs; U S us; Noo Yawk, Yawk.");
    });

    it("finds words of scripts without spaces, and signs", async () => {
      expect(await say({ 東京: "とうきょう", "→": "to", "C++": "C plus plus" }, "東京都 A → B in C++.")).equal(
        "とうきょう都 A to B in C plus plus.",
      );
    });

    it("comes before the rules, and leaves Bark's tags alone", async () => {
      const rewrite = (await loadRewriter({ normalize: "basic", lexicon: { "24": "two four", laughs: "ha" } }, "en"))!;
      expect(rewrite(MappedText.of("24 hours, 25 [laughs]")).text.text).equal("Two four hours, twenty-five [laughs]");
    });

    it("is read from lines and from JSON", () => {
      expect({ ...readLexicon("\ufeff# a comment\ngif\tjif\r\n\nUS\tU S\n") }).deep.equal({ gif: "jif", US: "U S" });
      expect({ ...readLexicon('{ "gif": "jif", "__proto__": "x" }') }).have.keys(["gif", "__proto__"]);
    });

    for (const [name, text, line] of [
      ["a line without a tab", "gif jif", /line 1.*a tab.*gif jif/],
      ["JSON that is none", "{ gif", /is not JSON/],
      ["a word that is spoken as a number", '{ "gif": 5 }', /no entry of a lexicon/],
      ["an empty word", '{ " ": "x" }', /no entry of a lexicon/],
    ] as const)
      it(`refuses ${name}`, () => {
        expect(() => readLexicon(text)).throws(EngineError, line);
      });

    it("refuses an empty word of an object", () => {
      expect(() => lexiconOf({ "": "x" })).throws(EngineError, /no entry/);
    });
  });
});
