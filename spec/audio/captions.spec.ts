import { expect } from "chai";
import { decode_captions, encode_json, encode_srt, encode_vtt, type Cue } from "../../audio/captions.ts";
import { EngineError } from "../../engine/errors.ts";

const cues: Cue[] = [
  { text: "Hello, my dog is cute.", start: 0, end: 1.2345, source: [0, 22] },
  { text: "Tom & Jerry <3 --> each other\r\n\r\n\nalways.", start: 1.5, end: 62, source: [23, 60] },
  { text: " \n", start: 62, end: 63 },
  { text: "Late.", start: 363_599.9996, end: 363_601.25 },
];

const srt = `1
00:00:00,000 --> 00:00:01,235
Hello, my dog is cute.

2
00:00:01,500 --> 00:01:02,000
Tom & Jerry <3 --> each other
always.

3
101:00:00,000 --> 101:00:01,250
Late.
`;

const vtt = `WEBVTT

00:00:00.000 --> 00:00:01.235
Hello, my dog is cute.

00:00:01.500 --> 00:01:02.000
Tom &amp; Jerry &lt;3 --&gt; each other
always.

101:00:00.000 --> 101:00:01.250
Late.
`;

describe("captions", () => {
  it("are written as SRT: empty cues left out, a text in one block, hours above 99", () => {
    expect(encode_srt(cues)).equal(srt);
  });

  it("are written as WebVTT, with its markup escaped", () => {
    expect(encode_vtt(cues)).equal(vtt);
    expect(encode_vtt([])).equal("WEBVTT\n");
  });

  it("have the times of words in WebVTT: later ones each, within the cue, and the text as it is without them", () => {
    const words = [
      { text: "Tom &", start: 1 },
      { text: "<Jerry>", start: 1.5 },
      { text: "Tom", start: 1.5 },
      { text: "again.", start: 2.25 },
      { text: "End.", start: 3 },
    ];
    const cue = { text: "Tom & <Jerry>\nTom again. End.", start: 1, end: 3, words };
    expect(encode_vtt([cue])).equal(
      "WEBVTT\n\n00:00:01.000 --> 00:00:03.000\n" +
        "Tom &amp; <00:00:01.500>&lt;Jerry&gt;\nTom <00:00:02.250>again. End.\n",
    );
    expect(encode_srt([cue])).contain("Tom & <Jerry>\nTom again. End.");
  });

  it("are written as JSON as they are", () => {
    const more = [{ ...cues[0], voice: "en_speaker_1" }];
    expect(JSON.parse(encode_json(more))).deep.equal(more);
  });

  const withText = (text: string): Omit<Cue, "source">[] =>
    decode_captions(text).map(({ text, start, end }) => ({ text, start, end }));
  const expected = [
    { text: "Hello, my dog is cute.", start: 0, end: 1.235 },
    { text: "Tom & Jerry <3 --> each other always.", start: 1.5, end: 62 },
    { text: "Late.", start: 363_600, end: 363_601.25 },
  ];
  const files = {
    SRT: srt,
    WebVTT: vtt,
    "SRT with CRLF and a mark of its byte order": `\ufeff${srt.replaceAll("\n", "\r\n")}`,
    "WebVTT with CR and a mark of its byte order": `\ufeff${vtt.replaceAll("\n", "\r")}`,
    "SRT with many empty lines, and none at its end": `\n\n${srt.replaceAll("\n\n", "\n \n\n\n").trimEnd()}`,
  };
  for (const [name, file] of Object.entries(files))
    it(`are read from ${name}`, () => {
      expect(withText(file)).deep.equal(expected);
    });

  it("of WebVTT may have names, settings, notes, styles, voices and short times", () => {
    const file = `WEBVTT - a title\nKind: captions\n\nSTYLE\n::cue { color: red }\n\nNOTE\nnot --> this\n
intro\n00:01.000 --> 01:02.500 align:start line:0%\n<v Anna>Hi <b>you</b> &amp;<00:01.500> me</v>\n`;
    expect(withText(file)).deep.equal([{ text: "Hi you & me", start: 1, end: 62.5 }]);
  });

  it("of SRT lose their markup, and may have points in their times, no text, no number", () => {
    const file = "1\n0:00:01.000 --> 0:00:02.000\n{\\an8}<i>Hi</i> &amp;\n\n00:00:01,500 --> 00:00:03,000\n";
    expect(withText(file)).deep.equal([
      { text: "Hi &amp;", start: 1, end: 2 },
      { text: "", start: 1.5, end: 3 },
    ]);
  });

  for (const [name, file] of Object.entries(files))
    it(`tell where their text lies in ${name}`, () => {
      const found = decode_captions(file).map(({ source }) => file.slice(...source!).replaceAll(/\s+/g, " "));
      expect(found[0]).equal("Hello, my dog is cute.");
      expect(found[2]).equal("Late.");
    });

  const refusals: readonly [name: string, file: string, says: string][] = [
    ["an empty file", "", "a.srt: holds no cues"],
    ["a header alone", "WEBVTT\n", "a.srt: holds no cues"],
    [
      "another text",
      "Once upon a time.\nThere was",
      'a.srt line 1: is not a cue (expected a number, then a line of times, got "Once',
    ],
    [
      "a cue without times",
      "1\nHello",
      'a.srt line 2: has no times (expected HH:MM:SS,mmm --> HH:MM:SS,mmm, got "Hello")',
    ],
    ["a number alone", "1\n", "a.srt line 1: has no times"],
    ["a time that is none", "1\n00:61:00,000 --> 00:62:00,000\nHi", "a.srt line 2: has a time that cannot be read"],
    ["a time cut short", "1\n00:00:01,000 --> 00:00:\nHi", "a.srt line 2: has a time that cannot be read"],
    ["a cue that ends before it begins", "1\n00:00:02,000 --> 00:00:01,000\nHi", "a.srt line 2: ends before it begins"],
    [
      "cues out of order",
      `${srt}\n4\n00:00:00,000 --> 00:00:01,000\nHi`,
      "a.srt line 14: begins before the cue above it (expected 363600 s or later, got 0 s)",
    ],
  ];
  for (const [name, file, says] of refusals)
    it(`refuse ${name}`, () => {
      let error: unknown;
      try {
        decode_captions(file, "a.srt");
      } catch (caught) {
        error = caught;
      }
      expect(error).instanceOf(EngineError).with.property("code", "bad-input");
      expect((error as EngineError).message.startsWith(says), (error as EngineError).message).equal(true);
    });
});
