import { expect } from "chai";
import { encode_wav } from "../../audio/wav.ts";
import { RawAudio } from "../../audio/raw_audio.ts";
import { BarkTTS } from "../../speech/bark_tts.ts";
import { expectClose } from "../support/close.ts";
import { sharedGpu } from "../support/gpu.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { openRepositoryStore } from "../support/runtime.ts";
import { WatchedStore } from "../support/files/watched_store.ts";

describe("BarkTTS", () => {
  const greedy = { do_sample: false, fine_temperature: null, semantic_max_new_tokens: 8 } as const;
  let tts: BarkTTS;
  before(async () => {
    tts = await BarkTTS.from_pretrained(await openRepositoryStore("models/nano"), { gpu: await sharedGpu() });
  });
  after(() => tts.dispose());

  it("speaks a text in one call, as processor and model do in two", async () => {
    const speech = await tts.generate("Hello.", { voice: "en_speaker_1", ...greedy });
    expect(speech).instanceOf(RawAudio);
    expect(speech.sampling_rate).equal(tts.model.generation_config.sample_rate);
    const max_length = tts.model.generation_config.semantic_config.max_input_semantic_length;
    const inputs = await tts.processor("Hello.", { voice_preset: "en_speaker_1", max_length });
    const audio = await tts.model.generate({ ...inputs, ...greedy });
    expect(speech.audio).deep.equal(audio.row(0).data);
    expect(new Uint8Array(speech.toWav())).deep.equal(encode_wav(speech.sampling_rate, speech));
  });

  // How texts are spoken is JavaScript, the same in every runtime, and held in Node (spec/speech).
  it("streams what it would speak at once", async () => {
    const options = { voice: "en_speaker_1", ...greedy, semantic_max_new_tokens: 4, retries: 0 };
    const parts: number[] = [];
    for await (const { audio } of tts.stream("Hello.", options)) parts.push(...audio);
    expectClose(Float32Array.from(parts), (await tts.generate("Hello.", options)).audio, { absolute: 1e-6 }, "audio");
  });

  it("lists the voices that it takes by name", async () => {
    expect(tts.list_voices()).deep.equal(["en_speaker_0", "en_speaker_1"]);
    const error = await engineErrorOf(() => tts.generate("Hello.", { voice: "en_speaker_2" }));
    expect([error.code, error.where]).deep.equal(["bad-input", "en_speaker_2"]);
  });

  it("reports progress, and stops at the signal", async () => {
    const stages = new Set<string>();
    const controller = new AbortController();
    const run = tts.generate("Hello.", {
      ...greedy,
      seed: 7,
      signal: controller.signal,
      on_progress: ({ stage }) => {
        stages.add(stage);
        if (stage === "coarse") controller.abort();
      },
    });
    expect((await engineErrorOf(() => run)).code).equal("aborted");
    expect([...stages]).deep.equal(["semantic", "coarse"]);
  });

  it("refuses what it does not know, with the name that is near", async () => {
    for (const [options, where, fix] of [
      [{ voise: "en_speaker_0" }, "voise", "did you mean voice?"],
      [{ temprature: 1 }, "temprature", "did you mean temperature?"],
      [{ input_ids: [[1]] }, "input_ids", undefined],
      [{ seed: -1 }, "seed", undefined],
    ] as const) {
      const error = await engineErrorOf(() => tts.generate("Hello.", options as object));
      expect([error.code, error.where]).deep.equal(["usage", where]);
      if (fix !== undefined) expect(error.fix).contain(fix.replace("did you mean ", "").replace("?", ""));
    }
    for (const text of ["", 5, ["Hello."]])
      expect((await engineErrorOf(() => tts.generate(text as string))).where).equal("text");
    const store = await openRepositoryStore("models/nano");
    const error = await engineErrorOf(() => BarkTTS.from_pretrained(store, { dtyp: "f16" } as object));
    expect([error.code, error.where]).deep.equal(["usage", "dtyp"]);
  });

  it("opens each file of a checkpoint once", async () => {
    const store = new WatchedStore(await openRepositoryStore("models/nano"));
    (await BarkTTS.from_pretrained(store, { gpu: await sharedGpu(), low_memory: true })).dispose();
    for (const name of ["config.json", "generation_config.json", "tokenizer.json"])
      expect(
        store.opened.filter((file) => file.name.endsWith(`/${name}`)),
        name,
      ).have.length(1);
  });
});
