import { expect } from "chai";
import { BarkConfig } from "../../bark/config/config.ts";
import { BarkGenerationConfig } from "../../bark/config/generation_config.ts";
import { EncodecModel } from "../../bark/encodec_model.ts";
import { BarkModel } from "../../bark/model.ts";
import { BarkCoarseModel, BarkFineModel, BarkSemanticModel } from "../../bark/sub_models.ts";
import type { JsonObject } from "../../engine/check/json_fields.ts";
import { sharedGpu } from "../support/gpu.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { readFixtureJson } from "../support/runtime.ts";

const { odd } = await readFixtureJson<Record<string, { config: JsonObject }>>("new_models/models.json");
const gpt = { num_layers: 2, num_heads: 2, hidden_size: 32, block_size: 64 };
const config = new BarkConfig({
  semantic_config: { ...gpt, input_vocab_size: 200, output_vocab_size: 100 },
  coarse_acoustics_config: { ...gpt, input_vocab_size: 180, output_vocab_size: 180 },
  fine_acoustics_config: { ...gpt, input_vocab_size: 40, output_vocab_size: 40 },
  codec_config: { num_filters: 4, hidden_size: 16, codebook_size: 32, target_bandwidths: [3] },
});
const generation_config = new BarkGenerationConfig({
  codebook_size: 32,
  semantic_config: {
    ...{ eos_token_id: 90, max_new_tokens: 6, max_input_semantic_length: 8, semantic_vocab_size: 90 },
    ...{ text_encoding_offset: 100, text_pad_token: 195, semantic_pad_token: 90, semantic_infer_token: 196 },
    ...{ semantic_rate_hz: 49.9 },
  },
  coarse_acoustics_config: {
    ...{ max_coarse_input_length: 16, max_coarse_history: 16, sliding_window_len: 8 },
    ...{ coarse_semantic_pad_token: 170, coarse_infer_token: 171, n_coarse_codebooks: 2 },
  },
  fine_acoustics_config: { max_fine_history_length: 16, max_fine_input_length: 32, n_fine_codebooks: 8 },
});
const kwargs = { input_ids: [[3, 1, 4, 1, 5, 9, 2, 6]], do_sample: false, fine_temperature: null };

describe("models from a configuration alone", () => {
  it("speak: the same for the same seed, also with one part in memory at a time", async () => {
    const gpu = await sharedGpu();
    const speak = async (options: { seed: number; low_memory?: boolean }) => {
      const model = await BarkModel.from_config(config, { ...options, generation_config, gpu });
      const output = await model.generate_output(kwargs);
      model.dispose();
      return output;
    };
    const first = await speak({ seed: 1 });
    expect(first.audio.data.every(Number.isFinite)).to.equal(true);
    expect(first.semantic[0]).to.have.length(6);
    expect(await speak({ seed: 1, low_memory: true })).to.deep.include({
      ...{ semantic: first.semantic, fine: first.fine, audio: first.audio },
    });
    expect((await speak({ seed: 2 })).fine).to.not.deep.equal(first.fine);
  });

  it("answer forward, each sub-model alone, by their seed", async () => {
    const gpu = await sharedGpu();
    const { semantic_config, coarse_acoustics_config, fine_acoustics_config } = BarkConfig.from_dict(odd.config);
    const ask = async (seed: number): Promise<ArrayLike<number>[]> => {
      const semantic = await BarkSemanticModel.from_config(semantic_config, { seed, gpu });
      const coarse = await BarkCoarseModel.from_config(coarse_acoustics_config, { seed, gpu, dtype: "float16" });
      const fine = await BarkFineModel.from_config(fine_acoustics_config, { seed, gpu, torch_dtype: "bfloat16" });
      const { n_codes_total } = fine_acoustics_config;
      const codes = [Array.from({ length: 5 }, (_, i) => Array.from({ length: n_codes_total }, (_, j) => i + j))];
      const answers = [
        await semantic.forward({ input_ids: [[1, 2, 3]] }),
        await coarse.forward({ input_ids: [[1, 2, 3]] }),
        await fine.forward({ codebook_idx: 3, input_ids: codes }),
      ];
      for (const model of [semantic, coarse, fine]) model.dispose();
      return answers.map(({ logits }) => logits.data);
    };
    const [first, again, other] = [await ask(5), await ask(5), await ask(6)];
    for (const i of [0, 1, 2]) {
      expect(first[i]).to.deep.equal(again[i]);
      expect(first[i]).to.not.deep.equal(other[i]);
    }
  });

  it("decode and encode, with a codec whose codebooks are zeros", async () => {
    const model = await EncodecModel.from_config(config.codec_config, { seed: 1, gpu: await sharedGpu() });
    const { audio_values } = await model.decode([
      [
        [
          [1, 2],
          [3, 4],
        ],
      ],
    ]);
    expect(audio_values.shape).to.deep.equal([1, 1, 640]);
    expect(new Set(audio_values.data).size).to.be.above(1);
    const audio = Float32Array.from({ length: 600 }, (_, i) => Math.sin(i));
    const { audio_codes } = await model.encode(audio);
    expect(new Set(audio_codes.data)).to.deep.equal(new Set([0]));
    const again = await model(audio);
    expect(again.audio_codes).to.deep.equal(audio_codes);
    expect(again.audio_values.shape).to.deep.equal([1, 1, 600]);
    expect(again.audio_values.data).to.deep.equal((await model.decode(audio_codes)).audio_values.data.slice(0, 600));
    model.dispose();
  });

  it("cannot be made with new, and the line says how", async () => {
    for (const [Model, part] of [
      [BarkModel, config],
      [BarkSemanticModel, config.semantic_config],
      [BarkCoarseModel, config.coarse_acoustics_config],
      [BarkFineModel, config.fine_acoustics_config],
      [EncodecModel, config.codec_config],
    ] as const)
      for (const given of [part, undefined]) {
        const make = Model as unknown as new (given: unknown) => unknown;
        const { message } = await engineErrorOf(() => new make(given));
        expect(message).to.match(
          new RegExp(`^${Model.name}: is not made with new; await ${Model.name}.from_config\\(`),
        );
      }
  });

  it("count their parameters, name their device, and refuse PyTorch's methods by name", async () => {
    const model = await BarkModel.from_config(config, { seed: 1, gpu: await sharedGpu(), low_memory: true });
    expect(model.num_parameters()).to.equal(
      [model.semantic, model.coarse_acoustics, model.fine_acoustics, model.codec_model].reduce(
        (sum, part) => sum + part.num_parameters(),
        0,
      ),
    );
    expect([model.device, model.semantic.device]).to.deep.equal([model.gpu.adapterName, model.gpu.adapterName]);
    const wrong = await engineErrorOf(() => model.num_parameters({ exclude_embedding: true } as never));
    expect(wrong.toLine()).to.match(/^exclude_embedding: is not an argument.*did you mean "exclude_embeddings"/);
    for (const part of [model, model.semantic, model.fine_acoustics, model.codec_model])
      for (const name of ["to", "half", "eval", "parameters", "state_dict", "resize_token_embeddings", "prune_heads"]) {
        const { message } = await engineErrorOf(() => (part as unknown as Record<string, () => unknown>)[name]());
        expect(message).to.match(new RegExp(`^${name}: is a method of PyTorch's models that is not here; .`));
      }
    model.dispose();
  });

  it("are refused for another class's configuration, and for options that mean nothing", async () => {
    const gpu = await sharedGpu();
    const line = async (given: unknown, options: object = {}): Promise<string> =>
      (await engineErrorOf(() => BarkSemanticModel.from_config(given as never, { gpu, ...options }))).toLine();
    const { semantic_config } = config;
    expect(await line(config)).to.match(/^BarkSemanticModel\.from_config: wrong configuration \(expected a BarkSem/);
    expect(await line({ ...semantic_config })).to.include("got an object");
    expect(await line(semantic_config, { seed: -1 })).to.match(/^seed: wrong value/);
    expect(await line(semantic_config, { attn_implementation: "sdpa" })).to.match(/^attn_implementation: "sdpa"/);
    expect(await line(semantic_config, { revision: "main" })).to.match(/^revision: is not an argument of from_config/);
    expect(await line(semantic_config, { generation_config })).to.match(/^generation_config: is not an argument/);
  });
});
