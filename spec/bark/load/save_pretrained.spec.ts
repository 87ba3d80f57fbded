import { expect } from "chai";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { BarkConfig } from "../../../bark/config/config.ts";
import { BarkGenerationConfig } from "../../../bark/config/generation_config.ts";
import { EncodecModel } from "../../../bark/encodec_model.ts";
import { BarkModel } from "../../../bark/model.ts";
import { BarkCoarseModel, BarkFineModel, BarkSemanticModel } from "../../../bark/sub_models.ts";
import { BarkProcessor } from "../../../bark/text/processor.ts";
import { SaveFolder } from "../../../bark/load/save_folder.ts";
import { saveWeights } from "../../../bark/load/save_weights.ts";
import { EngineError } from "../../../engine/errors.ts";
import { getFileHost, setFileHost } from "../../../checkpoint/host.ts";
import { SafetensorsCheckpoint } from "../../../checkpoint/safetensors/checkpoint.ts";
import { MemoryStore } from "../../../checkpoint/stores/memory.ts";
import { fixtureCheckpoint } from "../../support/files/fixture_checkpoint.ts";
import { expectAnswer, kwargsOf, type ForwardCase } from "../../support/forward.ts";
import { sharedGpu } from "../../support/gpu.ts";
import { engineErrorOf } from "../../support/rejection.ts";
import { openRepositoryStore, readFixtureJson } from "../../support/runtime.ts";

describe("save_pretrained", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "bark-save-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const text = (name: string): string => readFileSync(path.join(folder, name), "utf8");
  const json = (name: string): Record<string, unknown> => JSON.parse(text(name)) as Record<string, unknown>;

  describe("of a model that transformers saved", () => {
    const open = () => openRepositoryStore("spec/fixtures/forward/saved");

    it("keeps every tensor but the causal masks, bit by bit", async () => {
      const model = await BarkModel.from_pretrained(await open(), { gpu: await sharedGpu() });
      await model.save_pretrained(folder);
      model.dispose();
      const before = await SafetensorsCheckpoint.open(await open());
      const after = await SafetensorsCheckpoint.open(await getFileHost().openStore(folder));
      const names = [...before.names()].filter((name) => !name.endsWith(".attn.bias"));
      expect(names.length).to.equal([...before.names()].length - 3);
      expect([...after.names()]).to.have.members(names);
      for (const name of names) {
        const { dtype, shape } = before.info(name);
        expect(after.info(name), name).to.deep.include({ dtype, shape });
        const same = Buffer.compare(bytesOf(await before.readFloat32(name)), bytesOf(await after.readFloat32(name)));
        expect(same, name).to.equal(0);
      }
      await before.close();
      await after.close();
    });

    it("writes every field of config.json that transformers writes", async () => {
      const expected = await readFixtureJson<Record<string, unknown>>("forward/saved/config.json");
      await (await BarkConfig.from_pretrained(await open())).save_pretrained(folder);
      // Of the library that wrote it.
      delete expected["transformers_version"];
      expect(json("config.json")).to.deep.equal(expected);
    });

    it("loads again, with the same configs and the same answers", async () => {
      const gpu = await sharedGpu();
      const cases = await readFixtureJson<Record<string, ForwardCase[]>>("forward/cases.json");
      const original = await BarkModel.from_pretrained(await open(), { gpu });
      await original.save_pretrained(path.join(folder, "deep", "er"));
      const saved = await BarkModel.from_pretrained(path.join(folder, "deep", "er"), { gpu });
      expect(saved.config).to.deep.equal(original.config);
      expect(saved.generation_config).to.deep.equal(original.generation_config);
      for (const model of [original, saved]) {
        await expectAnswer(await model.semantic.forward(kwargsOf(cases["semantic"][0])), cases["semantic"][0]);
        const [fine] = cases["fine_acoustics"];
        await expectAnswer(await model.fine_acoustics.forward({ codebook_idx: 2, ...kwargsOf(fine) }), fine);
        model.dispose();
      }
    });
  });

  describe("of a part of a Bark", () => {
    const open = () => openRepositoryStore("spec/fixtures/forward/saved");

    it("loads alone, with the same config and the same answers", async () => {
      const gpu = await sharedGpu();
      const cases = await readFixtureJson<Record<string, ForwardCase[]>>("forward/cases.json");
      const whole = await BarkModel.from_pretrained(await open(), { gpu });
      for (const part of ["semantic", "coarse_acoustics", "fine_acoustics", "codec_model"] as const)
        await whole[part].save_pretrained(path.join(folder, part));
      whole.dispose();
      const semantic = await BarkSemanticModel.from_pretrained(path.join(folder, "semantic"), { gpu });
      await expectAnswer(await semantic.forward(kwargsOf(cases["semantic"][0])), cases["semantic"][0]);
      const coarse = await BarkCoarseModel.from_pretrained(path.join(folder, "coarse_acoustics"), { gpu });
      await expectAnswer(await coarse.forward(kwargsOf(cases["coarse_acoustics"][0])), cases["coarse_acoustics"][0]);
      const fine = await BarkFineModel.from_pretrained(path.join(folder, "fine_acoustics"), { gpu });
      const [stored] = cases["fine_acoustics"];
      await expectAnswer(await fine.forward({ codebook_idx: 2, ...kwargsOf(stored) }), stored);
      const codec = await EncodecModel.from_pretrained(path.join(folder, "codec_model"), { gpu });
      expect((await codec.decode([[0], [1]])).audio_values.size).to.equal(codec.config.hop_length);
      for (const [model, architecture] of [
        [semantic, "BarkSemanticModel"],
        [coarse, "BarkCoarseModel"],
        [fine, "BarkFineModel"],
        [codec, "EncodecModel"],
      ] as const) {
        expect(model.config).to.deep.include({ architectures: [architecture], dtype: "float32" });
        model.dispose();
      }
    });

    it("is written in bfloat16 where it was loaded so", async () => {
      const gpu = await sharedGpu();
      const model = await BarkSemanticModel.from_pretrained(await open(), { gpu, dtype: "bfloat16" });
      await model.save_pretrained(folder);
      model.dispose();
      expect(json("config.json")).to.include({ dtype: "bfloat16" });
      const [before, after] = [await open(), await getFileHost().openStore(folder)];
      const [exact, rounded] = [await SafetensorsCheckpoint.open(before), await SafetensorsCheckpoint.open(after)];
      const name = "input_embeds_layer.weight";
      expect(rounded.info(name).dtype).to.equal("BF16");
      const values = await rounded.readFloat32(name);
      for (const [i, value] of (await exact.readFloat32(`semantic.${name}`)).entries())
        expect(values[i]).closeTo(value, Math.abs(value) * 2 ** -8);
      for (const reader of [exact, rounded]) await reader.close();
    });
  });

  for (const dtype of ["F16", "BF16"] as const)
    it(`keeps ${dtype}`, async () => {
      const before = await SafetensorsCheckpoint.open(await fixtureCheckpoint("storage_f32", { dtype }));
      await saveWeights({ reader: before, prefix: "" }, await SaveFolder.create(folder));
      const after = await SafetensorsCheckpoint.open(await getFileHost().openStore(folder));
      for (const name of before.names()) {
        expect(after.info(name), name).to.include({ dtype });
        expect(await after.readFloat32(name), name).to.deep.equal(await before.readFloat32(name));
      }
      await after.close();
    });

  it("leaves no file half written when the source fails", async () => {
    const reader = await SafetensorsCheckpoint.open(await fixtureCheckpoint("storage_f32"));
    reader.readRows = async (name) => {
      throw new EngineError("bad-input", "the file ends too early", { where: name });
    };
    const target = await SaveFolder.create(folder);
    expect((await engineErrorOf(() => saveWeights({ reader, prefix: "" }, target))).code).to.equal("bad-input");
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it("writes floats so that transformers takes them for floats", async () => {
    await new BarkConfig({ codec_config: { target_bandwidths: [6, 1.5] } }).save_pretrained(folder);
    expect(text("config.json")).to.match(/"trim_right_ratio": 1\.0,/);
    expect(text("config.json")).to.match(/"target_bandwidths": \[\s*6\.0,\s*1\.5\s*\]/);
    expect(text("config.json")).to.match(/"dropout": 0\.0,/);
    expect(text("config.json")).to.match(/"hidden_size": 768,/);
    expect(await BarkConfig.from_pretrained(folder)).to.deep.equal(
      new BarkConfig({ codec_config: { target_bandwidths: [6, 1.5] } }),
    );
  });

  it("leaves out of generation_config.json what is unset, but not a fine temperature of null", async () => {
    const config = new BarkGenerationConfig({ fine_acoustics_config: { temperature: null } });
    await config.save_pretrained(folder);
    expect(json("generation_config.json")["semantic_config"]).to.not.have.any.keys("top_k", "top_p", "min_eos_p");
    expect(json("generation_config.json")["fine_acoustics_config"]).to.include({ temperature: null });
    expect(await BarkGenerationConfig.from_pretrained(folder)).to.deep.equal(config);
  });

  describe("of a processor", () => {
    it("keeps tokenizer and voices", async () => {
      const original = await BarkProcessor.from_pretrained("models/nano");
      await original.save_pretrained(folder);
      const saved = await BarkProcessor.from_pretrained(folder);
      const options = { voice_preset: "en_speaker_1", max_length: 64 };
      const [inputs, expected] = [await saved("Hello, my dog.", options), await original("Hello, my dog.", options)];
      expect(inputs).to.deep.equal(expected);
      expect(saved.available_voice_presets).to.deep.equal(original.available_voice_presets);
      expect(json("speaker_embeddings_path.json")["repo_or_path"]).to.equal(folder);
      // The files of the embedded checkpoint are numpy's.
      for (const name of readdirSync("models/nano/speaker_embeddings")) {
        const file = readFileSync(path.join("models/nano/speaker_embeddings", name));
        expect(Buffer.compare(readFileSync(path.join(folder, "speaker_embeddings", name)), file), name).to.equal(0);
      }
    });

    it("takes other names for index and folder, and presets in folders of their own", async () => {
      await (await BarkProcessor.from_pretrained("models/nano")).save_pretrained(folder);
      const { en_speaker_0: entry } = json("speaker_embeddings_path.json");
      writeFileSync(path.join(folder, "speaker_embeddings_path.json"), JSON.stringify({ "v2/me": entry }));
      const target = path.join(folder, "copy");
      await (
        await BarkProcessor.from_pretrained(folder)
      ).save_pretrained(target, {
        speaker_embeddings_dict_path: "voices.json",
        speaker_embeddings_directory: "voices",
      });
      const saved = await BarkProcessor.from_pretrained(target, { speaker_embeddings_dict_path: "voices.json" });
      expect(saved.available_voice_presets).to.deep.equal(["v2/me"]);
      expect((await saved.loadVoice("v2/me")).fine_prompt.shape[0]).to.equal(8);
      expect(readdirSync(path.join(target, "voices", "v2"))).to.include("me_fine_prompt.npy");
    });

    it("refuses a preset whose name leaves the folder", async () => {
      await (await BarkProcessor.from_pretrained("models/nano")).save_pretrained(folder);
      const { en_speaker_0: entry } = json("speaker_embeddings_path.json");
      const index = { "../../escaped": entry };
      writeFileSync(path.join(folder, "speaker_embeddings_path.json"), JSON.stringify(index));
      const processor = await BarkProcessor.from_pretrained(folder);
      const error = await engineErrorOf(() => processor.save_pretrained(path.join(folder, "a", "b")));
      expect(error.toLine()).to.include("Invalid voice preset path: '../../escaped'");
      expect(readdirSync(folder)).to.not.include("escaped_semantic_prompt.npy");
    });

    it("writes no index without presets", async () => {
      const store = new MemoryStore(new Map([["vocab.txt", new TextEncoder().encode("[UNK]\n[PAD]\na")]]));
      await (await BarkProcessor.from_pretrained(store)).save_pretrained(folder);
      expect(readdirSync(folder)).to.deep.equal(["vocab.txt"]);
    });
  });

  it("says what stands in the way of a folder", async () => {
    writeFileSync(path.join(folder, "file"), "");
    const error = await engineErrorOf(() => new BarkConfig().save_pretrained(path.join(folder, "file")));
    expect(error).to.include({ code: "io", where: path.join(folder, "file") });
  });

  it("is refused where files cannot be written", async () => {
    const host = getFileHost();
    setFileHost(Object.fromEntries(Object.entries(host).filter(([name]) => name !== "makeFolder")) as never);
    try {
      const error = await engineErrorOf(() => new BarkConfig().save_pretrained(folder));
      expect(error.code).to.equal("usage");
    } finally {
      setFileHost(host);
    }
  });
});

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
