import { expect } from "chai";
import { encode_vtt } from "../../../audio/captions.ts";
import { BarkModel } from "../../../bark/model.ts";
import type { BarkTokenizer } from "../../../bark/text/tokenizer.ts";
import { BarkTTS } from "../../../speech/bark_tts.ts";
import { speechOf, type Speech, type StreamedPiece } from "../../../speech/speech.ts";
import { estimateWords } from "../../../speech/words/estimate.ts";
import { WordTimer } from "../../../speech/words/word_timer.ts";
import { wordStarts } from "../../../tools/word_pointers.ts";
import { fixtureCheckpoint } from "../../support/files/fixture_checkpoint.ts";
import { historyPrompt, readRuns } from "../../support/fixture.ts";
import { sharedGpu } from "../../support/gpu.ts";
import { openRepositoryStore } from "../../support/runtime.ts";

describe("estimated word times", () => {
  const greedy = { do_sample: false, fine_temperature: null, retries: 0, voice: "en_speaker_0" } as const;
  const notices: string[] = [];
  let tts: BarkTTS;
  before(async () => {
    const store = await openRepositoryStore("models/nano");
    tts = await BarkTTS.from_pretrained(store, { gpu: await sharedGpu(), onNotice: (line) => notices.push(line) });
  });
  after(() => tts.dispose());

  it("are those that nano's own tokens tell, within 100 ms in the median", async () => {
    const { semantic_config } = tts.model.generation_config;
    const { max_input_semantic_length: max_length, semantic_rate_hz } = semantic_config;
    const errors: number[] = [];
    for (const text of ["My sister lives in a small village near the sea.", "What time does the train leave?"]) {
      const { history_prompt, ...inputs } = await tts.processor(text, { max_length, voice_preset: greedy.voice });
      const given = { ...inputs, history_prompt, semantic_generation_config: semantic_config, do_sample: false };
      const tokens = Array.from((await tts.model.semantic.generate(given)).row(0).data);
      const said = { text, voice: history_prompt!, tokens };
      const { words, alignment } = (await estimateWords(tts.model, tts.processor.tokenizer, said))!;
      expect(words.map(({ from, to }) => text.slice(from, to))).deep.equal(text.split(" "));
      const truth = wordStarts(tokens);
      for (const [i, { first }] of words.entries())
        errors.push((1000 * Math.abs(alignment.starts[i] - (truth.get(first) ?? Infinity))) / semantic_rate_hz);
    }
    expect(errors.sort((a, b) => a - b)[errors.length >> 1]).most(100);
  });

  /** Every word lies in its caption, behind the one before, and its source is what the source has there. */
  function expectWords(
    { captions }: Speech,
    expected: readonly (readonly [text: string, source: string])[],
    source: string,
  ) {
    const words = captions.flatMap((caption) => {
      expect(caption.words_are).equal("estimated");
      let time = caption.start;
      for (const { start, end } of caption.words!) {
        expect(start).least(time);
        expect(end).least(start);
        time = start;
      }
      expect(caption.words!.at(-1)!.end).closeTo(caption.end, 1e-9);
      return caption.words!;
    });
    expect(words.map(({ text, source: [from, to] }) => [text, source.slice(from, to)])).deep.equal(expected);
  }

  const text = "I have 2 dogs.[pause:1s]\n\nThe   GIF is there.";
  const options = { ...greedy, words: true, normalize: "basic", lexicon: { GIF: "jif file" } } as const;
  const expected = [
    ...[
      ["I", "I"],
      ["have", "have"],
      ["two", "2"],
      ["dogs.", "dogs."],
    ],
    ...[
      ["The", "The"],
      ["jif", "GIF"],
      ["file", "GIF"],
      ["is", "is"],
      ["there.", "there."],
    ],
  ] as const;

  it("of pieces follow markup, changes and gaps, in captions and in WebVTT", async () => {
    const speech = await tts.generate(text, options);
    expect(speech.captions).have.length(2);
    expectWords(speech, expected, text);
    expect(speech.captions[1].words![0].start).least(speech.captions[1].start);
    const vtt = encode_vtt(speech.captions);
    expect(vtt.replaceAll(/<[\d:.]+>/g, "")).equal(
      encode_vtt(speech.captions.map(({ words, ...cue }) => (void words, cue))),
    );
    expect(vtt).match(/\nI <00:00:0\d\.\d{3}>have <00:00:0\d\.\d{3}>two /);
  }).timeout(300_000);

  it("of a batch and of streams are there, too", async () => {
    expectWords(await tts.generate(text, { ...options, batch: 2 }), expected, text);
    const parts: StreamedPiece[] = [];
    for await (const part of tts.stream(text, { ...options, latency: "low" })) parts.push(part);
    for (const { is_last, words } of parts) expect(words !== undefined).equal(is_last);
    expectWords(speechOf(parts, 1), expected, text);
  }).timeout(300_000); // SwiftShader speaks four pieces.

  it("are not told where no head follows the text, with one notice", async () => {
    const model = await BarkModel.from_pretrained(await fixtureCheckpoint("odd"), {
      gpu: await sharedGpu(),
      onNotice: () => undefined,
    });
    try {
      const { runs } = await readRuns("odd");
      const run = runs.find(({ name }) => name === "history")!;
      const [ids] = run.input_ids;
      const said = ids.map(() => "a").join(" ");
      // The checkpoint has no tokenizer: each word is an id.
      const tokenizer = {
        encode: () => ids,
        offsets: () => ids.map((_, i) => [2 * i, 2 * i + 1]),
      } as unknown as BarkTokenizer;
      const told: string[] = [];
      const timer = new WordTimer(model, tokenizer, { notice: (line) => told.push(line), signal: undefined });
      const piece = { text: said, source: [0, said.length], voice: null, gap: 0, begins: true } as const;
      const spoken = { run: { semantic: run.semantic }, voice: historyPrompt(run.history!) } as unknown as Parameters<
        WordTimer["of"]
      >[1];
      for (let i = 0; i < 2; i++)
        expect(await timer.of(piece, spoken, { start: 0, end: 1, skipped: 0 })).equal(undefined);
      expect(told).have.length(1);
      expect(told[0]).match(/^no word times, since no attention head/);
    } finally {
      model.dispose();
    }
  });
});
