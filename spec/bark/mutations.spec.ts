import { expect } from "chai";
import { readFileSync } from "node:fs";
import { BarkConfig } from "../../bark/config/config.ts";
import { planFine } from "../../bark/generate/fine_plan.ts";
import { checkGenerate, checkGenerationFits } from "../../bark/generate/options/generation_checks.ts";
import { BarkGenerationConfig } from "../../bark/config/generation_config.ts";
import { planCoarse } from "../../bark/generate/coarse_plan.ts";
import { BarkTokenizer } from "../../bark/text/tokenizer.ts";
import { VoicePresets } from "../../bark/voice/voices.ts";
import { encode_wav } from "../../audio/wav.ts";
import { decode_wav } from "../../audio/wav_reader.ts";
import { MemoryStore } from "../../checkpoint/stores/memory.ts";
import { loadOrRefuse } from "../support/mutations/mutation_run.ts";
import { mutateBytes, mutateJson, type Random } from "../support/mutations/mutations.ts";

function mutateFile(file: string): (random: Random) => Uint8Array {
  const bytes = Uint8Array.from(readFileSync(`spec/fixtures/cased/${file}`));
  const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
  return (random) =>
    random.below(4) === 0 ? mutateBytes(bytes, random) : new TextEncoder().encode(mutateJson(value, random));
}

async function loadConfig(file: Uint8Array): Promise<void> {
  const config = await BarkConfig.from_pretrained(new MemoryStore(new Map([["config.json", file]])));
  expect(config.codec_config.num_quantizers).to.be.a("number");
  expect(config.to_dict()).to.include({ model_type: "bark" });
}

const text = "Hello, naïve dog! [MASK] 你好 1,000 xyzzy";

async function loadTokenizer(file: Uint8Array): Promise<void> {
  const tokenizer = await BarkTokenizer.from_pretrained(new MemoryStore(new Map([["tokenizer.json", file]])));
  expect(tokenizer.encode(text).every((id) => Number.isInteger(id) && id >= 0)).to.equal(true);
  tokenizer.truncation(text, 3);
}

const cased = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"].map(
  (name) => [name, Uint8Array.from(readFileSync(`spec/fixtures/cased/${name}`))] as const,
);

/** The text files of a checkpoint, one of them damaged. */
const storeWith = (name: string, file: Uint8Array): MemoryStore => new MemoryStore(new Map([...cased, [name, file]]));

/** Plans the longest run that the config asks for. */
async function planRun(file: Uint8Array): Promise<void> {
  const store = storeWith("generation_config.json", file);
  const config = await BarkConfig.from_pretrained(store);
  const generation = await BarkGenerationConfig.from_pretrained(store, { onNotice: () => undefined });
  checkGenerationFits(generation, config, "generation_config.json");
  const { semantic } = checkGenerate({}, null, generation, config);
  const tokens = Array<number>(semantic.max_new_tokens).fill(0);
  const { maxLength } = planCoarse([tokens], null, generation, config.coarse_acoustics_config.block_size);
  const frames = Math.floor(maxLength / generation.coarse_acoustics_config.n_coarse_codebooks);
  expect(planFine(frames, 0, generation.fine_acoustics_config).windows).to.not.equal([]);
}

async function speakText(name: string, file: Uint8Array): Promise<void> {
  const store = storeWith(name, file);
  const withoutJson = new MemoryStore(
    new Map([...cased.filter(([other]) => other !== "tokenizer.json"), [name, file]]),
  );
  for (const files of name === "vocab.txt" ? [withoutJson] : [store, withoutJson])
    expect((await BarkTokenizer.from_pretrained(files)).encode(text).every(Number.isInteger)).to.equal(true);
}

const prompts = ["semantic", "coarse", "fine"].map((prompt) => {
  const path = `speaker_embeddings/en_speaker_0_${prompt}_prompt.npy`;
  return [path, Uint8Array.from(readFileSync(`spec/fixtures/cased/${path}`))] as const;
});

async function loadPresets(file: Uint8Array): Promise<void> {
  const presets = await VoicePresets.from_pretrained(
    new MemoryStore(new Map([...prompts, ["speaker_embeddings_path.json", file]])),
  );
  if (presets.names.includes("en_speaker_0")) await presets.load("en_speaker_0");
}

const samples = Float32Array.from({ length: 40 }, (_, i) => Math.sin(i));
const wavs = [encode_wav(24000, samples), encode_wav(24000, samples, { format: "float32", channels: 2 })];

describe("mutations of other files", () => {
  it("plans or refuses 1,000 of generation_config.json", async () => {
    const mutate = mutateFile("generation_config.json");
    expect(await loadOrRefuse("generation", mutate, planRun)).to.be.within(100, 900);
  });

  for (const name of ["tokenizer_config.json", "vocab.txt"])
    it(`loads or refuses 1,000 of ${name}`, async () => {
      const bytes = cased.find(([other]) => other === name)![1];
      const mutate = name.endsWith(".json") ? mutateFile(name) : (random: Random) => mutateBytes(bytes, random);
      expect(await loadOrRefuse("memory/", mutate, (file) => speakText(name, file))).to.be.within(100, 999);
    });

  it("loads or refuses 1,000 of the index of presets", async () => {
    const mutate = mutateFile("speaker_embeddings_path.json");
    expect(await loadOrRefuse("memory/", mutate, loadPresets)).to.be.within(100, 999);
  });

  it("loads or refuses 1,000 of a WAV file", async () => {
    const mutate = (random: Random): Uint8Array => mutateBytes(random.pick(wavs), random);
    const load = async (file: Uint8Array): Promise<void> => {
      expect(decode_wav(file, "a.wav", () => undefined).audio.size).to.be.above(0);
      return Promise.resolve();
    };
    expect(await loadOrRefuse("a.wav", mutate, load)).to.be.within(300, 999);
  });
});

describe("mutations of a checkpoint's JSON", () => {
  it("loads or refuses 1,000 of config.json", async () => {
    expect(await loadOrRefuse("memory/config.json", mutateFile("config.json"), loadConfig)).to.be.within(100, 900);
  });

  it("loads or refuses 1,000 of tokenizer.json", async () => {
    expect(await loadOrRefuse("tokenizer.json", mutateFile("tokenizer.json"), loadTokenizer)).to.be.within(100, 900);
  });
});
