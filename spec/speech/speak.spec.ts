import { expect } from "chai";
import type { BarkOutput } from "../../bark/generate/output.ts";
import type { BarkModel } from "../../bark/model.ts";
import { notFinite } from "../../bark/generate/audio_check.ts";
import { BarkGenerationConfig } from "../../bark/config/generation_config.ts";
import type { BarkProcessor } from "../../bark/text/processor.ts";
import type { HistoryPrompt } from "../../bark/voice/history_prompt.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { planSpeech } from "../../speech/plan.ts";
import { PieceSpeaker, type SpeakSettings, type SpokenPiece } from "../../speech/speak.ts";
import { engineErrorOf } from "../support/rejection.ts";

const rate = 24000;
const generation_config = new BarkGenerationConfig();
const { eos_token_id } = generation_config.semantic_config;

/** A voice of one token. */
function voice(token: number): HistoryPrompt {
  return {
    semantic_prompt: new NdArray(Int32Array.of(token), [1]),
    coarse_prompt: new NdArray(new Int32Array(2), [2, 1]),
    fine_prompt: new NdArray(new Int32Array(8), [8, 1]),
  };
}

/** A run of one semantic token and of so many seconds of a tone. */
function run(token: number, seconds: number): BarkOutput {
  const audio = Float32Array.from({ length: seconds * rate }, (_, i) => 0.3 * Math.sin(i / 10));
  return {
    audio: new NdArray(audio, [1, audio.length]),
    output_lengths: [audio.length],
    semantic: [[token, eos_token_id]],
    coarse: [[10_000, 11_024]],
    coarse_lengths: [2],
    fine: new NdArray(new Int32Array(8), [1, 8, 1]),
    milliseconds: { semantic: 0, coarse: 0, fine: 0, codec: 0 },
  };
}

/** Speaks with a model whose runs have these lengths in seconds, and whose n-th token is n. */
function speakerOf(seconds: readonly number[], settings: Partial<SpeakSettings> = {}) {
  /** Semantic prompts that the model was given. */
  const heard: (number[] | null)[] = [];
  const model = {
    generation_config,
    generate_output: ({ history_prompt }: { history_prompt: HistoryPrompt | null }): Promise<BarkOutput> => {
      heard.push(history_prompt && Array.from(history_prompt.semantic_prompt.data));
      return Promise.resolve(run(heard.length, seconds[(heard.length - 1) % seconds.length]));
    },
  };
  const processor = (() => Promise.resolve({})) as unknown as BarkProcessor;
  const whole = { kwargs: {}, seed: 7n, voice: null, voices: new Map(), batch: 1, retries: 0, strict: false };
  const speaker = new PieceSpeaker(model as unknown as BarkModel, processor, {
    ...whole,
    takes: 1,
    carry: 0,
    ...settings,
  });
  return { speaker, heard, model };
}

describe("PieceSpeaker", () => {
  const sentence = "The quick brown fox jumps over the lazy dog, and then it runs away; nobody saw it. ";
  const { pieces } = planSpeech(`${sentence.repeat(3)}\n\n${sentence}`);

  async function heardWith(seconds: readonly number[], settings: Partial<SpeakSettings>): Promise<(number[] | null)[]> {
    const { speaker, heard } = speakerOf(seconds, settings);
    for await (const piece of speaker.speak(pieces)) void piece;
    return heard;
  }

  it("keeps the voice that the first piece made up", async () => {
    expect(await heardWith([6], {})).deep.equal([null, [1], [1], [1]]);
  });

  it("carries the pieces of a paragraph behind the voice", async () => {
    expect(await heardWith([6], { voice: voice(0), carry: 1 })).deep.equal([[0], [0, 1], [0, 2], [0]]);
    expect(await heardWith([6], { voice: voice(0), carry: 9 })).deep.equal([[0], [0, 1], [0, 1, 2], [0]]);
  });

  it("carries the voice that the first piece made up once", async () => {
    expect(await heardWith([6], { carry: 2 })).deep.equal([null, [1], [1, 2], [1]]);
  });

  it("speaks a piece again whose audio is not finite, and says so where every take is", async () => {
    const { speaker, model } = speakerOf([6], { retries: 1 });
    const { generate_output } = model;
    let runs = 0;
    const failing = (count: number) => {
      runs = 0;
      model.generate_output = (kwargs) => (runs++ < count ? Promise.reject(notFinite()) : generate_output(kwargs));
    };
    failing(1);
    const [piece] = pieces;
    expect((await speaker.speak([piece]).next()).value).property("attempts", 2);
    failing(2);
    expect((await engineErrorOf(() => speaker.speak([piece]).next())).problem).match(/not finite/);
    expect(runs).equal(2);
  });

  it("carries nothing that came out badly", async () => {
    expect(await heardWith([20, 6], { voice: voice(0), carry: 2 })).deep.equal([[0], [0], [0, 2], [0]]);
  });

  describe("takes", () => {
    const [piece] = pieces; // 82 letters: 5.9 seconds.
    const speak = async (seconds: readonly number[], settings: Partial<SpeakSettings>) => {
      const { value } = await speakerOf(seconds, settings).speaker.speak([piece]).next();
      const { audio, attempts } = value as SpokenPiece;
      return [audio.length / rate, attempts];
    };

    it("are all spoken, and one without a fault is kept", async () => {
      expect(await speak([20, 7, 20], { takes: 3 })).deep.equal([7, 3]);
      expect(await speak([4, 20], { takes: 1, retries: 1 })).deep.equal([4, 1]);
    });

    it("are scored by the verifier, then by the pace of the voice", async () => {
      expect(await speak([9, 6, 4], { takes: 3 })).deep.equal([6, 3]);
      const verify = (audio: Float32Array): number => (audio.length === 9 * rate ? 0.9 : 0.8);
      expect(await speak([4, 6, 9], { takes: 3, verify })).deep.equal([9, 3]);
    });

    it("are more while none is good", async () => {
      expect(await speak([20, 18, 6, 7], { takes: 2, retries: 2 })).deep.equal([6, 3]);
      expect(await speak([20, 18, 16, 17], { takes: 2, retries: 1 })).deep.equal([16, 3]);
    });
  });
});
