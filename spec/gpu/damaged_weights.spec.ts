import { expect } from "chai";
import { EncodecModel } from "../../bark/encodec_model.ts";
import { checkAudio } from "../../bark/generate/audio_check.ts";
import { BarkModel } from "../../bark/model.ts";
import type { Gpu } from "../../engine/gpu.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { parseHeader } from "../../checkpoint/safetensors/header.ts";
import { MemoryStore } from "../../checkpoint/stores/memory.ts";
import { fixtureCheckpoint } from "../support/files/fixture_checkpoint.ts";
import { sharedGpu } from "../support/gpu.ts";
import { engineErrorOf } from "../support/rejection.ts";

describe("damaged weights", () => {
  let gpu: Gpu;
  let bytes: number;
  before(async () => {
    gpu = await sharedGpu();
    bytes = gpu.ledger.bytes;
  });
  afterEach("leave nothing on the GPU", () => expect(gpu.ledger.bytes).to.equal(bytes));

  /** The synthetic checkpoint with one of its f32 tensors changed. */
  async function changed(name: string, change: (values: Float32Array) => void): Promise<MemoryStore> {
    const store = await fixtureCheckpoint("odd");
    const files = new Map<string, Uint8Array>();
    for (const file of await store.list!()) {
      const source = (await store.open(file))!;
      files.set(file, await source.read(0, source.size));
    }
    const weights = files.get("model.safetensors")!;
    const begin = 8 + new DataView(weights.buffer).getUint32(0, true);
    const { entries } = parseHeader(weights.subarray(8, begin), weights.length - begin, "odd");
    const entry = entries.get(name)!;
    change(new Float32Array(weights.buffer, begin + entry.begin, (entry.end - entry.begin) / 4));
    return new MemoryStore(files, "odd");
  }

  const first = (value: number) => (values: Float32Array) => void (values[values.length - 1] = value);
  const zeros = (values: Float32Array): void => void values.fill(0);
  const cases: [tensor: string, what: string, change: (values: Float32Array) => void, problem: RegExp][] = [
    ["semantic.layers.0.attn.att_proj.weight", "a NaN", first(NaN), /holds NaN at \d+$/],
    ["semantic.input_embeds_layer.weight", "zeros", zeros, /holds nothing but zeros$/],
    ["semantic.lm_head.weight", "zeros", zeros, /holds nothing but zeros$/],
    ["coarse_acoustics.layers.0.mlp.out_proj.weight", "an infinity", first(-Infinity), /holds -Infinity at \d+$/],
    ["coarse_acoustics.position_embeds_layer.weight", "a NaN", first(NaN), /holds NaN at \d+$/],
    ["fine_acoustics.layernorm_final.bias", "an infinity", first(Infinity), /holds Infinity at \d+$/],
    ["fine_acoustics.input_embeds_layers.3.weight", "zeros", zeros, /holds nothing but zeros$/],
    ["codec_model.decoder.layers.0.conv.bias", "a NaN", first(NaN), /holds NaN at \d+$/],
  ];
  for (const [tensor, what, change, problem] of cases)
    it(`are named: ${what} in ${tensor}`, async () => {
      const store = await changed(tensor, change);
      const error = await engineErrorOf(() => BarkModel.from_pretrained(store, { gpu }));
      expect(error.code).to.equal("bad-input");
      expect(error.problem).to.match(problem).and.include(tensor);
      expect(error.where).to.equal("odd/model.safetensors");
    });

  it("are named where the codec folds them", async () => {
    const store = await fixtureCheckpoint("odd");
    const source = (await store.open("model.safetensors"))!;
    const text = new TextDecoder().decode(await source.read(0, Math.min(source.size, 1 << 16)));
    const name =
      /codec_model\.decoder\.layers\.0\.conv\.(?:parametrizations\.weight\.original1|weight_v|weight)\b/.exec(text)![0];
    const folded = await changed(name, zeros);
    const codec = await EncodecModel.from_pretrained(folded, { gpu });
    const error = await engineErrorOf(() => codec.decode(new NdArray(new Int32Array(12), [1, 6, 2])));
    expect(error.problem).to.equal(`tensor ${name} holds nothing but zeros`);
    codec.dispose();
  });
});

describe("checkAudio", () => {
  const told = (samples: ArrayLike<number>): string[] => {
    const lines: string[] = [];
    checkAudio(Float32Array.from(samples), (line) => lines.push(line));
    return lines.map((line) => line.split(":")[0]);
  };
  const wave = (level: number): number[] => Array.from({ length: 1000 }, (_, i) => level * Math.sin(i));

  it("lets speech pass, quiet and loud", () => {
    expect(told(wave(0.001))).to.deep.equal([]);
    expect(told(wave(1.05))).to.deep.equal([]);
  });

  it("reports silence, a constant and full scale", () => {
    expect(told(wave(1e-6))).to.deep.equal(["the audio is silent"]);
    expect(told(wave(0))).to.deep.equal(["the audio is silent"]);
    expect(told(wave(1e-6).map((value) => value + 0.5))).to.deep.equal(["the audio is constant"]);
    expect(told(wave(5))).to.deep.equal(["the audio is beyond full scale nearly throughout"]);
  });

  it("refuses what is not finite", () => {
    for (const value of [NaN, Infinity, -Infinity])
      expect(() => told([0, value])).to.throw("codec: the audio is not finite");
  });
});
