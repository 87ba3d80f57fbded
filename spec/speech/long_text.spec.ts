import { expect } from "chai";
import { BarkTTS } from "../../speech/bark_tts.ts";
import { speechOf, type StreamedPiece } from "../../speech/speech.ts";
import { TextSplitterStream } from "../../speech/text_splitter_stream.ts";
import { expectClose } from "../support/close.ts";
import { sharedGpu } from "../support/gpu.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { openRepositoryStore } from "../support/runtime.ts";

describe("texts of several pieces", () => {
  const greedy = { do_sample: false, fine_temperature: null, semantic_max_new_tokens: 12, retries: 0 } as const;
  const text = "The dog is here.\n\nThe cat is there.[pause:1s]";
  const notices: string[] = [];
  let tts: BarkTTS;
  before(async () => {
    const store = await openRepositoryStore("models/nano");
    tts = await BarkTTS.from_pretrained(store, { gpu: await sharedGpu(), onNotice: (line) => notices.push(line) });
  });
  after(() => tts.dispose());

  it("are one sound, whose captions say exactly what is heard when", async () => {
    const speech = await tts.generate(text, { voice: "en_speaker_0", ...greedy });
    expect(speech.captions.map(({ text }) => text)).deep.equal(["The dog is here.", "The cat is there."]);
    for (const { text: said, source } of speech.captions) expect(text.slice(...source)).equal(said);
    const [first, second] = speech.captions.map(({ start, end }) => [start, end].map((s) => Math.round(s * 24000)));
    expect(first[0]).equal(0);
    expect(second[0] - first[1]).equal(0.6 * 24000);
    expect(speech.audio.length - second[1]).equal(24000);
    expect(speech.audio.slice(first[1], second[0]).every((sample) => sample === 0)).equal(true);
    // Each piece alone, in the same voice, has the same samples between its fades.
    const alone = (await tts.generate("The cat is there.", { voice: "en_speaker_0", ...greedy })).audio;
    const middle = speech.audio.slice(second[0] + 200, second[1] - 200);
    const at = alone.findIndex((_, i) => middle.slice(0, 50).every((sample, j) => alone[i + j] === sample));
    expect(at).least(0);
    expect(alone.slice(at, at + middle.length)).deep.equal(middle);
  });

  it("keep the voice that the first piece made up", async () => {
    const speech = await tts.generate(text, { ...greedy, seed: 1 });
    const other = await tts.generate(`${text}`.replace("The dog is here.", "A man sat down."), { ...greedy, seed: 1 });
    const last = (audio: Float32Array): Float32Array =>
      audio.slice(audio.length - 24000 - 4000, audio.length - 24000 - 300);
    expect(last(speech.audio)).not.deep.equal(last(other.audio));
  });

  it("are streamed: the same sound, part by part, and the rest is not spoken when the listener goes", async () => {
    const pieces: StreamedPiece[] = [];
    const stages: string[] = [];
    const options = {
      voice: "en_speaker_0",
      ...greedy,
      on_progress: ({ piece, pieces, stage }: { piece: number; pieces: number; stage: string }) =>
        void stages.push(`${piece}/${pieces} ${stage}`),
    };
    for await (const piece of tts.stream(text, options)) pieces.push(piece);
    const whole = await tts.generate(text, { voice: "en_speaker_0", ...greedy });
    const heard = Float32Array.from(pieces.flatMap(({ audio }) => [...audio]));
    expectClose(heard, whole.audio, { absolute: 1e-6 }, "audio");
    expect(pieces.filter(({ is_last }) => is_last).map(({ piece, text }) => [piece, text])).deep.equal([
      [0, "The dog is here."],
      [1, "The cat is there."],
    ]);
    for (const { real_time_factor } of pieces) expect(real_time_factor).above(0);
    const parts = speechOf(pieces, 1);
    expect(parts.captions.map(({ start, end, text, flags }) => ({ start, end, text, flags }))).deep.equal(
      whole.captions.map(({ start, end, text, flags }) => ({ start, end, text, flags })),
    );
    expect(new Set(stages)).include("1/2 codec");
    const before = stages.length;
    for await (const piece of tts.stream(text, options)) {
      expect(piece.piece).equal(0);
      break;
    }
    expect(stages.slice(before).filter((line) => line.startsWith("1/"))).deep.equal([]);
  });

  for (const [how, options] of Object.entries({
    "at low latency": { latency: "low", lookahead: 4 },
    "piece by piece, where it might be spoken again": { retries: 1 },
  } as const))
    it(`are streamed while they are being written, ${how}`, async () => {
      const { retries, ...once } = greedy;
      void retries;
      const stream = new TextSplitterStream();
      // A piece is spoken once twenty letters follow it.
      stream.push("The dog is here, and it is very happy. Then the cat came to sit b");
      const parts: StreamedPiece[] = [];
      for await (const part of tts.stream(stream, {
        voice: "en_speaker_0",
        ...once,
        ...options,
        semantic_max_new_tokens: 8,
      })) {
        if (parts.length === 0) {
          stream.push("eside it.[voice:en_speaker_1] It was tired.[pause:1s]");
          stream.close();
        }
        parts.push(part);
      }
      const said = parts.filter(({ is_last, text }) => is_last && text !== "");
      expect(said.map(({ text }) => text)).deep.equal([
        "The dog is here, and it is very happy.",
        "Then the cat came to sit beside it.",
        "It was tired.",
      ]);
      expect(said.map(({ voice }) => voice)).deep.equal([null, null, "en_speaker_1"]);
      const { audio, captions } = speechOf(parts, 1);
      expect(captions.map(({ text }) => text).slice(0, 3)).deep.equal(said.map(({ text }) => text));
      for (const [i, { start, end }] of captions.slice(0, 3).entries()) {
        expect(end, "a piece has a length").above(start);
        if (i > 0) expect(start).above(captions[i - 1].end);
      }
      expect(audio.slice(-24000).every((sample) => sample === 0)).equal(true);
      const length = parts.reduce((sum, part) => sum + part.audio.length, 0);
      expect(audio.length).equal(length);
    }).timeout(300_000); // SwiftShader speaks three pieces twice.

  it("wait for text, and end with the listener who goes meanwhile", async () => {
    const stream = new TextSplitterStream();
    const parts = tts.stream(stream, { voice: "en_speaker_0", ...greedy });
    const waiting = parts.next();
    await parts.return();
    expect(await waiting).deep.equal({ done: true, value: undefined });
  });

  it("refuse what a stream of low latency cannot do", async () => {
    for (const [name, value] of [
      ["retries", 1],
      ["takes", 2],
      ["batch", 2],
    ] as const) {
      const options = { latency: "low", [name]: value } as const;
      expect((await engineErrorOf(() => tts.stream("Hello.", options).next())).where).equal(name);
    }
    expect((await engineErrorOf(async () => tts.stream("Hello.", { lookahead: 5 }))).where).equal("lookahead");
    expect((await engineErrorOf(() => tts.generate("Hello.", { latency: "low" } as object))).where).equal("latency");
  });

  it("stop at once when the listener goes in the middle of a piece", async () => {
    const stream = tts.stream(text, {
      voice: "en_speaker_0",
      ...greedy,
      on_progress: ({ stage }) => void (stage === "coarse" && stream.return()),
    });
    expect(await stream.next()).deep.equal({ done: true, value: undefined });
    expect(tts.model.gpu.ledger.bytes).above(0);
  });

  it("know every voice before the first sound", async () => {
    const error = await engineErrorOf(() => tts.generate("Hello. [voice:nobody] Hello.", greedy));
    expect([error.code, error.where]).deep.equal(["bad-input", "nobody"]);
    expect(
      (await engineErrorOf(() => tts.generate([{ voice: "en_speaker_0", text: "a" }], { split: "none" }))).where,
    ).equal("split");
  });

  it("are spoken again where a verifier finds them wrong, with the best take kept and the takes told", async () => {
    const scores = [0.2, 0.4, 0.3];
    let takes = 0;
    const speech = await tts.generate("The dog is here.", {
      voice: "en_speaker_0",
      ...greedy,
      retries: 2,
      verify: () => scores[takes++],
    });
    expect([takes, speech.captions[0].attempts]).deep.equal([3, 3]);
    const strict = { voice: "en_speaker_0", ...greedy, retries: 1, strict: true, verify: () => 0 };
    expect((await engineErrorOf(() => tts.generate("The dog is here.", strict))).problem).match(/in every take/);
  });

  it("are spoken in several takes, of which the verifier's best is kept", async () => {
    const scores = [0.6, 0.9, 0.7];
    const takes: number[] = [];
    const options = { voice: "en_speaker_0", seed: 3, semantic_max_new_tokens: 20, retries: 0 };
    const heard: Float32Array[] = [];
    const speech = await tts.generate("The dog is here.", {
      ...options,
      takes: 3,
      verify: (audio) => {
        heard.push(audio);
        return scores[takes.push(0) - 1];
      },
    });
    expect([takes.length, speech.captions[0].attempts]).deep.equal([3, 3]);
    expect(speech.audio).deep.equal(heard[1]);
    const { seed } = speech.captions[0];
    expect((await tts.generate("The dog is here.", { ...options, seed })).audio).deep.equal(heard[1]);
  });
});
