import { expect } from "chai";
import { BarkGenerationConfig } from "../../bark/config/generation_config.ts";
import type { BarkOutput } from "../../bark/generate/output.ts";
import type { BarkModel } from "../../bark/model.ts";
import type { BarkProcessor } from "../../bark/text/processor.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { prepareSpeech, type SpeechArguments } from "../../speech/speak_text.ts";
import { streamPrepared } from "../../speech/stream/stream_text.ts";

const generation_config = new BarkGenerationConfig();
const { sample_rate: rate } = generation_config;
const codec_config = { use_causal_conv: true, trim_right_ratio: 1, audio_channels: 1 };
const processor = Object.assign(() => Promise.resolve({}), {
  tokenizer: { encode: (text: string) => text.split(" ") },
  loadVoice: () => Promise.resolve(null),
}) as unknown as BarkProcessor;

/** A piece of four seconds, in as many parts where it is streamed. */
function piece(): BarkOutput {
  const samples = Float32Array.from({ length: 4 * rate }, (_, i) => 0.3 * Math.sin(i / 10));
  const tokens = [[1, 2, 3, generation_config.semantic_config.eos_token_id]];
  return {
    audio: new NdArray(samples, [1, samples.length]),
    semantic: tokens,
    coarse: [[1, 2]],
    fine: new NdArray(new Int32Array(8), [1, 8, 1]),
  } as unknown as BarkOutput;
}

const model = {
  config: { codec_config },
  generation_config,
  generate_output: () => Promise.resolve(piece()),
  async *generate_stream() {
    const whole = piece();
    const { data } = whole.audio;
    for (let second = 0; second < 4; second++) yield data.slice(second * rate, (second + 1) * rate);
    return await Promise.resolve(whole);
  },
} as unknown as BarkModel;

describe("parts of a stream", () => {
  const text = "The quick brown fox jumps over it. Then it runs away for good.\n\nAnd nobody saw where it went at all.";

  /** Of each piece. */
  async function partsOf(given: Partial<SpeechArguments>): Promise<number[]> {
    const notice = (): void => undefined;
    const prepared = await prepareSpeech(generation_config, processor, text, { kwargs: {}, seed: 1, notice, ...given });
    const counts: number[] = [];
    for await (const part of streamPrepared(model, processor, prepared, {}))
      if (part.audio.length > 0) counts[part.piece] = (counts[part.piece] ?? 0) + 1;
    return counts;
  }

  it("are given out of the first piece, which is waited for, and of all where none is spoken again", async () => {
    const [first, ...others] = await partsOf({});
    expect(first).above(2);
    // The fade at its end is one of its own.
    expect(Math.max(...others)).most(2);
    expect(Math.min(...(await partsOf({ retries: 0 })))).above(2);
  });

  for (const given of [
    { retries: 1 },
    { strict: true },
    { verify: () => 1 },
    { takes: 2 },
    { batch: 2 },
    { loudness: -20 },
  ])
    it(`are none where the caller asks for ${Object.keys(given)[0]}`, async () => {
      expect(Math.max(...(await partsOf(given)))).most(2);
    });
});
