import { expect } from "chai";
import { livePieces } from "../../../speech/stream/live_pieces.ts";
import type { Cast } from "../../../speech/markup/dialogue.ts";
import { planSpeech, type PlannedPiece, type PlanOptions } from "../../../speech/plan.ts";
import { TextSplitterStream } from "../../../speech/text_splitter_stream.ts";
import { engineErrorOf } from "../../support/rejection.ts";

/** mulberry32: the same numbers on every machine. */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const atoms =
  "The dog is here.| |\n\n|Mr. Smith, who was 5.5 feet tall, said so; nobody minded.| |你好。|「何？」と聞いた。|\n|🙂|[laughs]|[pause:1s]|[chapter:One. Two]|[voice:en_speaker_0]|[|]|e\u0301|\ud83d\ude00|a long clause without any end that goes on and on and on|, |...|\u2029|ANNA: hi there, how are you today?\n".split(
    "|",
  );

function textOf(next: () => number): string {
  return Array.from({ length: 1 + Math.floor(next() * 25) }, () => atoms[Math.floor(next() * atoms.length)]).join("");
}

/** Chunks at any UTF-16 unit, as a network cuts them. */
function chunksOf(text: string, next: () => number): string[] {
  const chunks: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = at + 1 + Math.floor(next() * 12);
    chunks.push(text.slice(at, end));
    at = end;
  }
  return chunks;
}

async function stretchesOf(chunks: readonly string[], flushAt = -1): Promise<string[]> {
  const stream = new TextSplitterStream();
  for (const [i, chunk] of chunks.entries()) {
    stream.push(chunk);
    if (i === flushAt) stream.flush();
  }
  stream.close();
  const stretches: string[] = [];
  for await (const stretch of stream) stretches.push(stretch);
  return stretches;
}

async function plannedLive(chunks: readonly string[], options: PlanOptions = {}): Promise<PlannedPiece[]> {
  async function* source(): AsyncGenerator<string, void, undefined> {
    yield* chunks;
  }
  const pieces: PlannedPiece[] = [];
  const watch = { signal: undefined, notice: () => undefined, waiting: { milliseconds: 0 } };
  for await (const piece of livePieces(source(), options, watch)) pieces.push(piece);
  return pieces;
}

describe("text that is still being written", () => {
  it("comes in stretches that together are the text, however it was pushed", async () => {
    for (let seed = 0; seed < 300; seed++) {
      const next = random(seed);
      const text = textOf(next);
      const chunks = chunksOf(text, next);
      const stretches = await stretchesOf(chunks, seed % 3 === 0 ? Math.floor(next() * chunks.length) : -1);
      expect(stretches.join(""), `seed ${seed}`).equal(text);
      expect(stretches.every((stretch) => stretch !== "")).equal(true);
    }
  });

  it("is planned to pieces whose sources are in order, none twice, with nothing but white space and tags between", async () => {
    for (let seed = 0; seed < 200; seed++) {
      const next = random(1000 + seed);
      // A bracket that is never closed is an error of markup, as in a whole text.
      const text = textOf(next).replaceAll(/\[(?=(?:pause|voice|chapter):[^\]]*(?:$|[\r\n]))/g, "(");
      const cast: Cast = seed % 2 === 0 ? {} : { ANNA: "en_speaker_1" };
      let expected: readonly PlannedPiece[];
      try {
        expected = planSpeech(text, { cast }).pieces;
      } catch {
        continue;
      }
      const pieces = await plannedLive(chunksOf(text, next), { cast });
      let at = 0;
      let between = "";
      for (const { source, text: said } of pieces) {
        expect(source[0], `seed ${seed}`).least(at);
        expect(text.slice(...source), `seed ${seed}`).equal(said);
        between += text.slice(at, source[0]);
        at = source[1];
      }
      between += text.slice(at);
      const left = between.replaceAll(/\[(?:pause|voice|chapter):[^\]]*\]/g, "").replaceAll(/ANNA:/g, "");
      expect(left.trim(), `seed ${seed}: ${JSON.stringify(text)}`).equal("");
      const voices = (list: readonly PlannedPiece[]): string =>
        list.flatMap(({ voice, text: said }) => [...said.replaceAll(/\s/g, "")].map((c) => `${c}${voice}`)).join();
      expect(voices(pieces), `seed ${seed}: ${JSON.stringify(text)}`).equal(voices(expected));
    }
  });

  it("gives a piece once 20 letters follow it, the first a clause", async () => {
    const stream = new TextSplitterStream();
    const stretches = stream[Symbol.asyncIterator]();
    stream.push("Once upon a time there was a dog, and it was ");
    const first = stretches.next();
    let isThere = false;
    void first.then(() => (isThere = true));
    await new Promise((resolve) => setTimeout(resolve));
    expect(isThere).equal(false);
    stream.push("very happy.");
    expect((await first).value).equal("Once upon a time there was a dog, ");
    stream.flush();
    expect((await stretches.next()).value).equal("and it was very happy.");
    stream.push(" The end");
    stream.close();
    expect((await stretches.next()).value).equal(" The end");
    expect((await stretches.next()).done).equal(true);
  });

  it("never cuts in brackets, nor gives out a tag that is not closed", async () => {
    const text =
      "A sentence of some letters.[chapter:The end. Of all things that are. Really.] And another one of these.";
    const stretches = await stretchesOf([...text]);
    expect(stretches.join("")).equal(text);
    expect(stretches.filter((stretch) => stretch.includes("[") !== stretch.includes("]"))).deep.equal([]);
    const stream = new TextSplitterStream();
    stream.push("A sentence of some letters. Another of some letters. [voice:en_speaker_0");
    stream.push("] And a third one of many letters, which is enough for a piece.");
    stream.close();
    const given: string[] = [];
    for await (const stretch of stream) given.push(stretch);
    expect(given.some((stretch) => /\[voice:en_speaker_0$/.test(stretch))).equal(false);
  });

  it("has the gaps of its punctuation, and goes on in the voice that a tag chose", async () => {
    const text =
      "[voice:en_speaker_1]This is a long first sentence of the text. And this is a second sentence of it, too.\n\nA paragraph that is as long as the others are. [voice:] The last sentence is long as well, my friend.";
    const pieces = await plannedLive([...text], { goal: 50, most: 60 });
    expect(pieces.map(({ voice, gap }) => [voice, gap])).deep.equal(
      planSpeech(text, { goal: 50, most: 60 }).pieces.map(({ voice, gap }) => [voice, gap]),
    );
  });

  it("refuses pushes after the end, a second listener and what is no text", async () => {
    const stream = new TextSplitterStream();
    expect(() => stream.push(5 as unknown as string)).throws(/push: takes texts/);
    stream.push("Hello.");
    stream.close();
    expect(() => stream.push("more")).throws(/push: the text was closed/);
    expect(() => stream.close()).throws(/close: the text was closed/);
    for await (const stretch of stream) expect(stretch).equal("Hello.");
    const listen = async (): Promise<void> => {
      for await (const stretch of stream) void stretch;
    };
    expect((await engineErrorOf(listen)).message).match(/is listened to already/);
    expect((await engineErrorOf(() => plannedLive([5 as unknown as string]))).message).match(/text: gives something/);
    expect((await engineErrorOf(() => plannedLive(["  \n\n "]))).message).match(/nothing to say/);
  });
});
