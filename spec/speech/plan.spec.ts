import { expect } from "chai";
import { EngineError } from "../../engine/errors.ts";
import { planSpeech, type PlanOptions, type SpeechInput } from "../../speech/plan.ts";

/** [text, voice, gap] of every piece. */
function said(input: SpeechInput, options: PlanOptions = {}): [string, string | null, number][] {
  return planSpeech(input, options).pieces.map(({ text, voice, gap }) => [text, voice, gap]);
}

function faultOf(input: SpeechInput, options: PlanOptions = {}): string {
  try {
    planSpeech(input, options);
  } catch (error) {
    if (error instanceof EngineError) return `${error.code}: ${error.toLine()}`;
    throw error;
  }
  throw new Error("expected an EngineError");
}

describe("planSpeech", () => {
  const long = "The quick brown fox jumps over the lazy dog, and then it runs away; nobody saw it. ";

  it("puts the gap of what ended a piece before the next", () => {
    expect(said(`${long.repeat(2)}\n\nNew paragraph here. ${"word ".repeat(60)}`).map(([, , gap]) => gap)).deep.equal([
      0, 250, 600, 120,
    ]);
    const gaps = { sentence: 10, paragraph: 20 };
    expect(said(`${long.repeat(2)}\n\nNew paragraph here.`, { gaps }).map(([, , gap]) => gap)).deep.equal([0, 10, 20]);
  });

  it("takes our three tags and leaves Bark's own", () => {
    const text =
      "[chapter:One] Hello [laughs] there. [pause:1.5s] [voice:en_speaker_1] I am here. [voice:] And I again.[pause:300ms]";
    const plan = planSpeech(text);
    expect(plan.pieces.map(({ text, voice, gap }) => [text, voice, gap])).deep.equal([
      ["Hello [laughs] there.", null, 0],
      ["I am here.", "en_speaker_1", 1500],
      ["And I again.", null, 500],
    ]);
    expect(plan.chapters).deep.equal([{ title: "One", piece: 0 }]);
    expect(plan.end).equal(300);
    expect(said("A first chapter.[chapter:Two]The second.")[1][2]).equal(2000);
  });

  it("knows where in the source a piece comes from", () => {
    for (const text of ["  One. [pause:1] Two, three. ", `${long.repeat(4)} [voice:x] last`, "漢字です。".repeat(40)])
      for (const piece of planSpeech(text).pieces) expect(text.slice(...piece.source)).equal(piece.text);
  });

  it("gives lines of the cast to their speakers, whatever the case", () => {
    const text = "ANNA: Hello there.\nBen : Hi, Anna.\nHow are you?\n\nThey went on.\nNote: a line of nobody.";
    expect(said(text, { cast: { Anna: "a", BEN: "b" } })).deep.equal([
      ["Hello there.", "a", 0],
      ["Hi, Anna.\nHow are you?", "b", 500],
      ["They went on.\nNote: a line of nobody.", null, 500],
    ]);
  });

  it("takes turns", () => {
    const turns = [
      { voice: "Anna", text: "Hello. [pause:1s] You there?" },
      { voice: "b", text: "Yes." },
      { text: "Silence." },
    ];
    expect(said(turns, { cast: { anna: "a" } })).deep.equal([
      ["Hello.", "a", 0],
      ["You there?", "a", 1000],
      ["Yes.", "b", 500],
      ["Silence.", null, 500],
    ]);
    const source = "Hello. [pause:1s] You there?\n\nYes.\n\nSilence.";
    for (const piece of planSpeech(turns).pieces) expect(source.slice(...piece.source)).equal(piece.text);
  });

  it("takes a part of SSML, and says what has no effect", () => {
    const ssml = `<?xml version="1.0"?><speak version="1.1" xml:lang="en"><!-- a note --><p>Hello &amp; <sub alias="World Wide Web">WWW</sub>.</p>
      <p><s>One</s><s>Two</s></p><break time="2s"/><voice name="v"><prosody rate="slow">Slow.</prosody></voice><break strength="weak"/>End.</speak>`;
    const plan = planSpeech(ssml);
    expect(plan.pieces.map(({ text, voice, gap }) => [text, voice, gap])).deep.equal([
      ["Hello & World Wide Web.", null, 0],
      ["One\u2028Two", null, 600],
      ["Slow.", "v", 2000],
      ["End.", null, 250],
    ]);
    expect(plan.notices).deep.equal(["SSML <prosody> has no effect in Bark: its text is spoken"]);
    expect(ssml.slice(...plan.pieces[0].source)).match(/^Hello &amp; <sub/);
  });

  for (const [name, input, line] of [
    ["nothing", " \n ", /^usage: text: there is nothing to say/],
    ["tags alone", "[pause:1s]", /^usage: text: there is nothing to say/],
    ["a pause of no length", "Hello.\n [pause:soon]", /^bad-input: text, line 2, column 2: no such pause.*1\.5s.*soon/],
    ["a pause of an hour", "[pause:3600s] a", /no such pause/],
    ["a tag without an end", "Hello [voice:x", /^bad-input: text, line 1, column 7: \[voice: has no end/],
    ["a chapter without a title", "[chapter:] a", /a chapter needs a title/],
    ["an element that is not closed", "<speak><p>Hello</speak>", /<\/speak> closes what is not open.*<\/p>/],
    ["SSML that stops", "<speak><p>Hello</p>", /<speak> is not closed/],
    ["a stray <", "<speak>1 < 2</speak>", /a stray <.*&lt;/],
    ["an unknown entity", "<speak>&nbsp;a</speak>", /no such entity: &nbsp;/],
    ["a DOCTYPE", '<speak><!DOCTYPE x [<!ENTITY a "b">]>&a;</speak>', /a stray </],
    ["text behind the root", "<speak>a</speak>b", /text outside <speak>/],
    ["elements without end", `<speak>${"<p>".repeat(100)}`, /nest deeper/],
    ["a break of no strength", '<speak>a<break strength="huge"/></speak>', /no such strength.*x-strong.*huge/],
  ] as const)
    it(`refuses ${name} in one line`, () => expect(faultOf(input)).match(line));
});
