import { expect } from "chai";
import type { BookText } from "../../../speech/book/read/book.ts";
import { readBook } from "../../../speech/book/read/read_book.ts";
import { planSpeech, type SpeechPlan } from "../../../speech/plan.ts";
import { engineErrorOf } from "../../support/rejection.ts";
import { epubFiles, epubOf } from "./epub_file.ts";

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const planOf = ({ script }: BookText): SpeechPlan => planSpeech(script, { goal: 1 });
const textsOf = (book: BookText): string[] => planOf(book).pieces.map(({ text }) => text);
const markdown = async (text: string): Promise<BookText> => await readBook(utf8(text), "a.md");

describe("reading a book", () => {
  describe("from Markdown", () => {
    it("speaks its words without their marks, and says where they stand", async () => {
      const source = 'A *bold* **word**, `code` & a [link *to*](http://a.b/c_(d) "t").\nNext line &amp; 2 * 3.\n';
      const book = await markdown(source);
      const plan = planOf(book);
      expect(plan.pieces.map(({ text }) => text)).deep.equal(["A bold word, code & a link to.\nNext line & 2 * 3."]);
      expect(plan.pieces[0].source).deep.equal([0, source.trimEnd().length]);
    });

    it("leaves out code, HTML, comments, definitions and front matter", async () => {
      const source =
        "---\ntitle: x\n---\nOne <b>word</b>.\n\n```js\nlet code;\n```\n\n<!-- a\ncomment -->\n\n    indented code\n\n[x]: http://a.b\n\n***\n\nLast.";
      expect(textsOf(await markdown(source))).deep.equal(["One word.", "Last."]);
    });

    it("speaks items of lists and rows of tables as paragraphs", async () => {
      const source =
        "Fruit:\n- [ ] one apple\n- two\n  pears\n1. plum\n\n> quoted\n> words\n\n| a | b |\n|---|:-:|\n| c | d |\n";
      const plan = planOf(await markdown(source));
      expect(plan.pieces.map(({ text }) => text.replaceAll("\n", " "))).deep.equal([
        ..."Fruit:|one apple|two pears|plum|quoted words|a, b|c, d".split("|"),
      ]);
      expect(plan.pieces.slice(1).every(({ gap }) => gap === 600)).equal(true);
    });

    it("begins chapters at the highest level with several headings; one above them is the title", async () => {
      const chapters = async (source: string) => {
        const book = await markdown(source);
        const { chapters, pieces } = planOf(book);
        return [book.title, ...chapters.map(({ title, piece }) => [title, pieces[piece].text])];
      };
      expect(await chapters("# Book\n\nHi.\n\n## *One* ##\n\nA.\n\n### x\n\nTwo\n---\n\nB.")).deep.equal([
        ...["Book", ["One", "One"], ["Two", "Two"]],
      ]);
      expect(await chapters("# One\n\n## a\n\nA.\n\n# Two\n\nB.")).deep.equal([
        undefined,
        ["One", "One"],
        ["Two", "Two"],
      ]);
      expect(await chapters("# One\n\nA.")).deep.equal(["One"]);
    });

    it("knows our tags, also between headings", async () => {
      const plan = planOf(await markdown("## A\n\nOne.[pause:1s] [voice:x] Two.\n\n## B\n\nThree.\n"));
      expect(plan.pieces.map(({ text, voice, gap }) => [text, voice, gap])).deep.equal([
        ["A", null, 0],
        ["One.", null, 600],
        ["Two.", "x", 1000],
        ["B", "x", 2000],
        ["Three.", "x", 600],
      ]);
      expect(plan.chapters).deep.equal([
        { title: "A", piece: 0 },
        { title: "B", piece: 3 },
      ]);
    });
  });

  describe("from an EPUB", () => {
    it("reads the spine, with the table of contents as chapters", async () => {
      const book = await readBook(epubOf(), "book.epub");
      expect([book.title, book.author, book.language]).deep.equal(["The Dog & the Cat", "A. Writer", "en-GB"]);
      const { pieces, chapters } = planOf(book);
      expect(pieces.map(({ text }) => text)).deep.equal([
        ...["The Dog & the Cat", "The dog", "The dog’s here. It\nsits.", "The cat", "The cat is there."],
      ]);
      expect(pieces.map(({ source }) => book.script.source.slice(...source))).deep.equal(
        pieces.map(({ text }) => text),
      );
      expect(chapters).deep.equal([
        { title: "Part One: The dog", piece: 1 },
        { title: "The cat", piece: 3 },
      ]);
    });

    it("reads the NCX of EPUB 2, and takes headings where there is no table of contents", async () => {
      const opf = epubFiles["OEBPS/book.opf"].replace('properties="nav"', "");
      const ncx = opf
        .replace("<spine>", '<spine toc="ncx">')
        .replace("<manifest>", '<manifest><item id="ncx" href="t.ncx"/>');
      const files = {
        "OEBPS/book.opf": ncx.replace('<itemref idref="nav"/>', ""),
        "OEBPS/t.ncx": `<ncx><navMap><navPoint><navLabel><text>One</text></navLabel><content src="text/one.xhtml#c2"/></navPoint></navMap></ncx>`,
      };
      expect(planOf(await readBook(epubOf(files), "b.epub")).chapters).deep.equal([{ title: "One", piece: 3 }]);
      const none = { "OEBPS/book.opf": opf.replace('<itemref idref="nav"/>', "") };
      expect(planOf(await readBook(epubOf(none), "b.epub")).chapters.map(({ title }) => title)).deep.equal([
        ...["The Dog & the Cat", "The dog"],
      ]);
    });

    const encrypted = (algorithm: string): string =>
      `<encryption><EncryptedData><EncryptionMethod Algorithm="${algorithm}"/></EncryptedData></encryption>`;

    it("reads one with obscured fonts", async () => {
      const fonts = { "META-INF/encryption.xml": encrypted("http://www.idpf.org/2008/embedding") };
      expect((await readBook(epubOf(fonts), "b.epub")).title).equal("The Dog & the Cat");
    });

    const broken: readonly [name: string, bytes: Uint8Array<ArrayBuffer>, says: RegExp][] = [
      ["no zip", utf8("hello"), /^b\.epub: is not a zip archive/],
      ["a cut one", epubOf().slice(0, 900), /^b\.epub: is not a zip archive/],
      [
        "no container",
        epubOf({ "META-INF/container.xml": undefined }),
        /container\.xml: is missing; the EPUB is broken/,
      ],
      ["an empty container", epubOf({ "META-INF/container.xml": "<x/>" }), /container\.xml: names no package/],
      ["no package", epubOf({ "OEBPS/book.opf": undefined }), /b\.epub: OEBPS\/book\.opf: is missing/],
      ["no spine", epubOf({ "OEBPS/book.opf": "<package/>" }), /names no documents to read/],
      ["a missing document", epubOf({ "OEBPS/text/one.xhtml": undefined }), /one\.xhtml: is missing/],
      [
        "no text",
        epubOf({ "OEBPS/text/one.xhtml": "<p/>", "OEBPS/text/title page.xhtml": "" }),
        /^b\.epub: holds no text/,
      ],
      [
        "a lock",
        epubOf({ "META-INF/encryption.xml": encrypted("http://www.w3.org/2001/04/xmlenc#aes128-cbc") }),
        /^b\.epub: is encrypted \(DRM\)/,
      ],
      ["a lock of LCP", epubOf({ "META-INF/license.lcpl": "{}" }), /is encrypted \(DRM\)/],
    ];
    for (const [name, bytes, says] of broken)
      it(`refuses ${name} in one line`, async () => {
        const error = await engineErrorOf(() => readBook(bytes, "b.epub"));
        expect([error.code, error.message]).satisfies(
          ([code, line]: string[]) => code === "bad-input" && says.test(line),
        );
      });
  });

  it("places captions at their times", async () => {
    const srt = "1\n00:00:01,500 --> 00:00:03,000\nHello <i>there</i>.\n\n2\n00:00:04,000 --> 00:00:05,000\nBye.\n";
    const { pieces } = planOf(await readBook(utf8(srt), "talk.srt"));
    expect(pieces.map(({ text, cue }) => [text, cue])).deep.equal([
      ["Hello there.", [1.5, 3]],
      ["Bye.", [4, 5]],
    ]);
    expect(pieces.map(({ source }) => srt.slice(...source))).deep.equal(["Hello <i>there</i>.", "Bye."]);
  });

  it("reads text with tags, SSML, and UTF-16 with a mark", async () => {
    expect(planOf(await readBook(utf8("[chapter:One] Hi."), "a.txt")).chapters).deep.equal([
      { title: "One", piece: 0 },
    ]);
    expect(textsOf(await readBook(utf8("<speak>Hi.</speak>"), "a.TXT"))).deep.equal(["Hi."]);
    const wide = Uint8Array.from([0xff, 0xfe, ...[..."Hi."].flatMap((letter) => [letter.charCodeAt(0), 0])]);
    expect(textsOf(await readBook(wide, "a.txt"))).deep.equal(["Hi."]);
  });

  const wrong: readonly [name: string, bytes: Uint8Array<ArrayBuffer>, file: string, says: RegExp][] = [
    ["an empty file", new Uint8Array(0), "a.txt", /^a\.txt: is empty$/],
    ["white space", utf8(" \n"), "a.txt", /^a\.txt: holds no text$/],
    ["bytes that are no text", Uint8Array.of(0xff, 0, 1), "a.txt", /^a\.txt: is not UTF-8 text/],
    ["a text with zeros", utf8("PNG\0\0"), "a.md", /^a\.md: is not a text: it holds bytes of zero/],
    ["another kind of file", utf8("x"), "a.pdf", /^a\.pdf: is not a kind of book .*\.epub.*got \.pdf/],
    ["no captions", utf8("Hello"), "a.srt", /^a\.srt line 1/],
  ];
  for (const [name, bytes, file, says] of wrong)
    it(`refuses ${name} in one line`, async () => {
      expect((await engineErrorOf(() => readBook(bytes, file))).message).match(says);
    });
});
