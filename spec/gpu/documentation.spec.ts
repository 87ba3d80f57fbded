/** The examples of the Bark page of transformers' documentation, line by line, on the embedded checkpoint. */
import {
  AutoConfig,
  AutoProcessor,
  BarkCoarseConfig,
  BarkConfig,
  BarkFineConfig,
  BarkModel,
  BarkSemanticConfig,
  encode_wav,
  EncodecConfig,
  write_wav,
  type BarkProcessor,
} from "bark-webgpu";
import { expect } from "chai";
import type { FileStore } from "../../checkpoint/stores/file_store.ts";
import { MemoryStore } from "../../checkpoint/stores/memory.ts";
import { sharedGpu } from "../support/gpu.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { openRepositoryStore } from "../support/runtime.ts";

const canWriteFiles = !("document" in globalThis);
// Where the page has suno/bark and v2/en_speaker_6; runs are cut short, since software adapters are slow.
const voice_preset = "en_speaker_1";
const short = { semantic_max_new_tokens: 5 };

describe("examples of transformers' documentation", () => {
  let checkpoint: FileStore;
  let processor: BarkProcessor;
  let model: BarkModel;

  before(async () => {
    checkpoint = await openRepositoryStore("models/nano");
    processor = await AutoProcessor.from_pretrained(checkpoint);
    // The page gives no device; one for all specs has its kernels compiled (models with one of their own: parity_storage).
    model = await BarkModel.from_pretrained(checkpoint, { gpu: await sharedGpu() });
  });
  after(() => model.dispose());

  it("speaks with a voice preset", async () => {
    const inputs = await processor("Hello, my dog is cute, I need him in my life", { voice_preset });
    let audio_array = await model.generate({ ...inputs, ...short });
    expect(audio_array.shape[0]).equal(1);
    audio_array = audio_array.squeeze();
    expect(audio_array.shape).deep.equal([audio_array.data.length]);
    // Frames of 320 samples, 75 a second, for at most 5 tokens; the last may be the end of speech.
    const { semantic_rate_hz } = model.generation_config.semantic_config;
    expect(audio_array.size % 320).equal(0);
    expect(audio_array.size / 320).within((4 * 75) / semantic_rate_hz - 3, (5 * 75) / semantic_rate_hz + 1);

    const sample_rate = model.generation_config.sample_rate;
    expect(sample_rate).equal(24000);
    if (canWriteFiles) await expectWavFile((path) => write_wav(path, sample_rate, audio_array));
    else expect((await engineErrorOf(() => write_wav("bark.wav", sample_rate, audio_array))).code).equal("usage");
  });

  async function expectWavFile(write: (path: string) => Promise<void>): Promise<void> {
    const { mkdtemp, readFile, rm } = await import("node:fs/promises");
    const { tmpdir } = await import("node:os");
    const folder = await mkdtemp(`${tmpdir()}/bark-documentation-`);
    await write(`${folder}/bark_generation.wav`);
    const wav = await readFile(`${folder}/bark_generation.wav`);
    expect(wav.subarray(0, 4).toString()).equal("RIFF");
    await rm(folder, { recursive: true });
  }

  it("takes other languages, music notes, sounds, and several texts", async () => {
    // The embedded checkpoint knows no ideographs, of which it would speak a sentence of noise.
    expect((await engineErrorOf(() => processor("惊人的！我会说中文"))).toLine()).match(/^text: holds no word of /);
    for (const text of [
      "Incroyable! Je peux générer du son.",
      "♪ Hello, my dog is cute ♪",
      "Hello uh ... [clears throat], my dog is cute [laughter]",
    ]) {
      const { input_ids, attention_mask } = await processor(text);
      expect(input_ids.shape).deep.equal([1, 256]);
      expect(attention_mask!.data.includes(1)).equal(true);
    }
    // The page pads to 256 slots, of which the embedded checkpoint has 64: what is over is padding.
    const inputs = await processor(["♪ Hello, my dog is cute ♪", "Hello"], { voice_preset: "en_speaker_0" });
    const [audio, lengths] = await model.generate({ ...inputs, ...short, return_output_lengths: true });
    expect(audio.shape[0]).equal(2);
    expect(Math.max(...lengths)).equal(audio.shape[1]);
    expect(encode_wav(24000, audio.row(0)).length).equal(44 + 2 * audio.shape[1]);
  });

  it("runs in half precision, offloaded", async () => {
    const half = await BarkModel.from_pretrained(checkpoint, { dtype: "float16", gpu: await sharedGpu() });
    await half.enable_cpu_offload();
    const inputs = await processor("Hello, my dog is cute");
    const kwargs = { ...inputs, ...short, do_sample: false, fine_temperature: null };
    const audio = await half.generate(kwargs);
    expect(Array.from(audio.data)).deep.equal(Array.from((await model.generate(kwargs)).data));
    half.dispose();
  });

  it("makes configs of configs", async () => {
    const semantic_config = new BarkSemanticConfig();
    const coarse_acoustics_config = new BarkCoarseConfig();
    const fine_acoustics_config = new BarkFineConfig();
    const encodec = new TextEncoder().encode(JSON.stringify(new EncodecConfig().to_dict()));
    const codec_config = await AutoConfig.from_pretrained(
      new MemoryStore(new Map([["config.json", encodec]]), "codec"),
    );
    expect(codec_config).instanceOf(EncodecConfig);
    if (!(codec_config instanceof EncodecConfig)) return;
    const configuration = new BarkConfig({
      semantic_config,
      coarse_acoustics_config,
      fine_acoustics_config,
      codec_config,
    });
    const parts = [semantic_config, coarse_acoustics_config, fine_acoustics_config, codec_config] as const;
    expect(BarkConfig.from_sub_model_configs(...parts)).deep.equal(configuration);
    expect(BarkConfig.from_dict(configuration.to_dict())).deep.equal(configuration);
    expect(await AutoConfig.from_pretrained(checkpoint)).deep.equal(model.config);
  });

  it("refuses the config of another model", async () => {
    const config = new TextEncoder().encode('{"model_type": "bert"}');
    const store = new MemoryStore(new Map([["config.json", config]]), "bert");
    const error = await engineErrorOf(() => AutoConfig.from_pretrained(store));
    expect(error.toLine()).match(/^bert\/config\.json: is the config of another model .*got bert/);
  });
});
