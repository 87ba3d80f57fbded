import { expect } from "chai";
import { HuggingFaceView } from "../../../checkpoint/suno/hugging_face_view.ts";
import { SunoCheckpoint } from "../../../checkpoint/suno/checkpoint.ts";
import { codecConfig } from "../../../checkpoint/suno/codec_config.ts";
import { codecName, gptName } from "../../../checkpoint/suno/names.ts";
import { PythonFloat, pythonJson } from "../../../checkpoint/suno/python_json.ts";
import { readTextFile } from "../../../checkpoint/json_file.ts";
import { MemoryStore } from "../../../checkpoint/stores/memory.ts";
import type { TensorReader } from "../../../engine/weights/tensor_reader.ts";
import { globalOf, op, pickle, shortText, u32 } from "../../support/files/pickle_bytes.ts";
import { engineErrorOf } from "../../support/rejection.ts";
import { readFixture } from "../../support/runtime.ts";
import { WatchedStore } from "../../support/files/watched_store.ts";
import { zipBytes } from "../../support/files/zip_bytes.ts";

const codecFile = "encodec_24khz-d7cc33bc.th";
const files = new Map<string, Uint8Array>();
for (const name of ["text.pt", "coarse.pt", "fine.pt", codecFile])
  files.set(name, await readFixture(`torch/suno/${name}`));

/** Suno's files, with others in the place of some; undefined takes one away. */
function storeOf(changes: Readonly<Record<string, Uint8Array | undefined>> = {}): MemoryStore {
  const all = { ...Object.fromEntries(files), ...changes };
  const there = Object.entries(all).filter((entry): entry is [string, Uint8Array] => entry[1] !== undefined);
  return new MemoryStore(new Map(there), "bark");
}

const configOf = async (store: MemoryStore): Promise<Record<string, Record<string, unknown>>> =>
  JSON.parse((await readTextFile(new HuggingFaceView(store), "config.json"))!) as Record<
    string,
    Record<string, unknown>
  >;

/** A GPT of suno's: its `model_args`, and one tensor, as without one there is nothing to open. */
function gpt(args: Readonly<Record<string, number | boolean | readonly number[]>>): Uint8Array {
  const value = (item: number | boolean | readonly number[]): readonly number[] =>
    typeof item === "number"
      ? [op.binInt, ...u32(item)]
      : typeof item === "boolean"
        ? [item ? op.newTrue : op.newFalse]
        : item;
  const items = Object.entries(args).flatMap(([name, item]) => [...shortText(name), ...value(item)]);
  const storage = [
    ...[op.mark, ...shortText("storage"), ...globalOf("torch", "FloatStorage"), ...shortText("0"), ...shortText("cpu")],
    ...[op.binInt1, 1, op.tuple, op.persistentId],
  ];
  const tensor = [
    ...[...globalOf("torch._utils", "_rebuild_tensor_v2"), op.mark, ...storage, op.binInt1, 0],
    ...[op.binInt1, 1, op.tuple1, op.binInt1, 1, op.tuple1, op.newFalse, op.emptyDict, op.tuple, op.reduce],
  ];
  const content = pickle(
    ...[op.emptyDict, op.mark, shortText("model"), op.emptyDict, shortText("x"), tensor, op.setItem],
    ...[shortText("model_args"), op.emptyDict, op.mark, op.none, op.none, items, op.setItems, op.setItems],
  );
  return zipBytes([
    { name: "archive/data.pkl", content },
    { name: "archive/data/0", content: new Uint8Array(4) },
  ]);
}

const args = { n_layer: 2, n_head: 3, n_embd: 6, block_size: 7, vocab_size: 8 };

describe("names of suno's tensors", () => {
  it("become those of transformers", () => {
    for (const [name, expected] of [
      ["transformer.wte.weight", "input_embeds_layer.weight"],
      ["transformer.wpe.weight", "position_embeds_layer.weight"],
      ["transformer.h.10.ln_1.weight", "layers.10.layernorm_1.weight"],
      ["transformer.h.0.attn.c_attn.weight", "layers.0.attn.att_proj.weight"],
      ["transformer.h.0.mlp.c_fc.bias", "layers.0.mlp.in_proj.bias"],
      ["transformer.h.0.mlp.c_proj.weight", "layers.0.mlp.out_proj.weight"],
      ["transformer.ln_f.bias", "layernorm_final.bias"],
      ["lm_head.weight", "lm_head.weight"],
    ])
      expect(gptName(name)).to.equal(expected);
  });

  it("become those of transformers, of EnCodec", () => {
    for (const [name, expected] of [
      ["encoder.model.0.conv.conv.weight_g", "encoder.layers.0.conv.weight_g"],
      ["decoder.model.3.convtr.convtr.bias", "decoder.layers.3.conv.bias"],
      ["decoder.model.4.block.1.conv.conv.weight_v", "decoder.layers.4.block.1.conv.weight_v"],
      ["encoder.model.0.conv.norm.weight", "encoder.layers.0.norm.weight"],
      ["decoder.model.3.convtr.norm.bias", "decoder.layers.3.norm.bias"],
      ["decoder.model.1.lstm.weight_ih_l0", "decoder.layers.1.lstm.weight_ih_l0"],
      ["quantizer.vq.layers.31._codebook.embed", "quantizer.layers.31.codebook.embed"],
      ["other.decoder.model.1.bias", "other.decoder.model.1.bias"],
      ["other.quantizer.vq.layers.1._codebook.embed", "other.quantizer.vq.layers.1._codebook.embed"],
    ])
      expect(codecName(name)).to.equal(expected);
  });
});

describe("pythonJson", () => {
  it("writes a point into what Python reads as a float, and leaves other numbers", () => {
    const value = { whole: new PythonFloat(3), part: new PythonFloat(1.5), count: 3, list: [new PythonFloat(0)] };
    expect(pythonJson(value)).to.equal(
      '{\n  "whole": 3.0,\n  "part": 1.5,\n  "count": 3,\n  "list": [\n    0.0\n  ]\n}\n',
    );
  });
});

describe("SunoCheckpoint", () => {
  it("shows the tensors of all four files, and closes each", async () => {
    const store = new WatchedStore(storeOf());
    const checkpoint = await SunoCheckpoint.open(store);
    const reader = checkpoint!.reader();
    const codec = "codec_model.quantizer.layers.0.codebook.embed";
    for (const [name, shape] of [
      ["semantic.lm_head.weight", [128, 24]],
      ["coarse_acoustics.layers.1.mlp.in_proj.weight", [96, 24]],
      ["fine_acoustics.lm_heads.6.weight", [34, 24]],
      [codec, [32, 16]],
    ] as const)
      expect(reader.info(name).shape, name).to.deep.equal(shape);
    expect(await reader.readFloat32(codec)).to.have.length(32 * 16);
    expect(reader.info(codec).file).to.equal(`bark/${codecFile}`);
    await reader.close();
    expect([store.opened.length, store.stillOpen]).to.deep.equal([4, []]);
  });

  it("closes the files where it makes the configs", async () => {
    const store = new WatchedStore(storeOf());
    expect(await new HuggingFaceView(store).open("config.json")).to.not.equal(undefined);
    expect([store.opened.length, store.stillOpen]).to.deep.equal([4, []]);
  });

  it("takes another codec of 24 kHz, the first by name, only where the published one is missing", async () => {
    const codec = files.get(codecFile);
    const broken = new Uint8Array(3);
    const named = { "encodec_24khz-b.th": broken, "encodec_24khz-0123.th": codec, "encodec_24khz.txt": broken };
    const others = { ...named, "an_encodec_24khz.th": broken, "encodec_24khz-0.th.part": broken };
    const opened = await SunoCheckpoint.open(storeOf({ [codecFile]: undefined, ...others }));
    expect(opened?.codec.source.name).to.equal("bark/encodec_24khz-0123.th");
    expect((await SunoCheckpoint.open(storeOf(others)))?.codec.source.name).to.equal(`bark/${codecFile}`);
    const without = storeOf({ [codecFile]: undefined, "an_encodec_24khz.th": codec, "encodec_24khz-0.th.part": codec });
    expect((await engineErrorOf(() => SunoCheckpoint.open(without))).problem).to.match(/lacks encodec_24khz-d7cc33bc/);
    const unlisted = { name: "bark", open: (file: string) => without.open(file) };
    expect((await engineErrorOf(() => SunoCheckpoint.open(unlisted))).problem).to.match(/lacks encodec_24khz-d7cc33bc/);
  });
});

describe("the config of suno's files", () => {
  it("says what their arguments and shapes say, with points in what Python reads as floats", async () => {
    const shape = { num_layers: 2, num_heads: 3, hidden_size: 24, bias: false, dropout: 0 };
    const store = storeOf();
    expect(await configOf(store)).to.deep.equal({
      architectures: ["BarkModel"],
      model_type: "bark",
      semantic_config: {
        ...{ model_type: "semantic", ...shape, block_size: 128, input_vocab_size: 500, output_vocab_size: 128 },
      },
      coarse_acoustics_config: {
        ...{ model_type: "coarse_acoustics", ...shape, block_size: 160, input_vocab_size: 200, output_vocab_size: 200 },
      },
      fine_acoustics_config: {
        ...{ model_type: "fine_acoustics", ...shape, block_size: 64, input_vocab_size: 34, output_vocab_size: 34 },
        ...{ n_codes_total: 8, n_codes_given: 1, tie_word_embeddings: true },
      },
      codec_config: {
        ...{ model_type: "encodec", sampling_rate: 24000, audio_channels: 1, hidden_size: 16, num_filters: 4 },
        ...{ num_residual_layers: 1, upsampling_ratios: [4, 2], kernel_size: 7, last_kernel_size: 7 },
        ...{ residual_kernel_size: 3, compress: 2, num_lstm_layers: 1, use_conv_shortcut: true },
        ...{ codebook_size: 32, codebook_dim: 16, target_bandwidths: [30, 60, 120] },
      },
      initializer_range: 0.02,
    });
    const text = await readTextFile(new HuggingFaceView(store), "config.json");
    expect(text).to.include('"dropout": 0.0').and.include("30.0");
  });

  it("takes one vocabulary for both, a bias where it is said, and passes over what is not an argument", async () => {
    const text = gpt({ ...args, bias: true, other: shortText("x"), [`{}`]: [op.emptyDict] });
    const { semantic_config } = await configOf(storeOf({ "text.pt": text }));
    expect(semantic_config).to.deep.equal({
      ...{ model_type: "semantic", num_layers: 2, num_heads: 3, hidden_size: 6, block_size: 7 },
      ...{ input_vocab_size: 8, output_vocab_size: 8, bias: true, dropout: 0 },
    });
    const two = gpt({ ...args, input_vocab_size: 9, output_vocab_size: 10 });
    expect((await configOf(storeOf({ "text.pt": two })))["semantic_config"]).to.include({
      input_vocab_size: 9,
      output_vocab_size: 10,
      bias: false,
    });
  });

  for (const [name, changes, says] of [
    [
      "no layers",
      { n_layer: 0 },
      /^bark\/text\.pt: model_args: wrong value of "n_layer" \(expected an integer ≥ 1, got 0/,
    ],
    ["a width that is a text", { n_embd: shortText("6") }, /wrong value of "n_embd" .*got "string"/],
    ["a bias that is a number", { bias: 1 }, /wrong value of "bias"/],
    ["heads that are a list", { n_head: [op.emptyList] }, /wrong value of "n_head" .*got "object"/],
  ] as const)
    it(`refuses ${name}`, async () => {
      const error = await engineErrorOf(() => configOf(storeOf({ "text.pt": gpt({ ...args, ...changes }) })));
      expect(error.code).to.equal("bad-input");
      expect(error.toLine()).to.match(says);
    });

  it("refuses arguments that lack one", async () => {
    for (const name of Object.keys(args)) {
      const rest = Object.fromEntries(Object.entries(args).filter(([key]) => key !== name));
      const error = await engineErrorOf(() => configOf(storeOf({ "text.pt": gpt(rest) })));
      expect(error.toLine()).to.match(new RegExp(`wrong value of "${name}" \\(expected an integer ≥ 1`));
    }
  });
});

/** A reader that knows nothing but shapes. */
function codec(shapes: Readonly<Record<string, readonly number[]>>): TensorReader {
  const info = (name: string) => ({ dtype: "F32", shape: shapes[name] ?? [], file: "codec.th" });
  return { names: () => Object.keys(shapes), has: (name: string) => name in shapes, info } as never;
}

describe("codecConfig", () => {
  const codebook = { "quantizer.vq.layers.0._codebook.embed": [1000, 5] };
  /** Named neither in their order nor by one kind of name. */
  const shapes = {
    ...codebook,
    "decoder.model.10.conv.conv.weight": [2, 9, 5],
    "decoder.model.2.conv.conv.weight_v": [64, 6, 7],
    "decoder.model.9.convtr.convtr.weight": [9, 9, 4],
    "decoder.model.3.convtr.convtr.parametrizations.weight.original1": [64, 32, 10],
    "decoder.model.4.block.1.conv.conv.weight": [8, 32, 3],
    "decoder.model.5.block.1.conv.conv.weight": [8, 32, 3],
    "decoder.model.11.block.1.conv.conv.weight": [1, 9, 3],
    "decoder.model.12.block.1.conv.conv.weight": [1, 9, 3],
    "decoder.model.4.block.3.conv.conv.weight": [1, 1, 1],
    "decoder.model.2.conv.conv.weight_g": [64, 1, 1],
    "encoder.model.0.conv.conv.weight": [3, 3, 3],
    "old.decoder.model.0.conv.conv.weight": [3, 3, 3],
    "decoder.model.10.lstm.weight_ih_l0": [4, 4],
    "decoder.model.10.lstm.weight_ih_l10": [4, 4],
    "decoder.model.10.lstm.weight_ih_l0_old": [4, 4],
    "decoder.model.10.lstm.weight_hh_l0": [4, 4],
    "old.decoder.model.1.lstm.weight_ih_l0": [4, 4],
    "old.decoder.model.1.shortcut.weight": [1],
    "quantizer.vq.layers.10._codebook.embed": [1000, 5],
    "quantizer.vq.layers.0._codebook.embed_avg": [1000, 5],
    "old.quantizer.vq.layers.0._codebook.embed": [1000, 5],
  };
  const plain = (config: Record<string, unknown>): unknown => JSON.parse(pythonJson(config));

  it("tells a codec by the shapes of its decoder, in the order of their numbers", () => {
    expect(plain(codecConfig(codec(shapes)))).to.deep.equal({
      ...{ model_type: "encodec", sampling_rate: 24000, audio_channels: 2, hidden_size: 6, num_filters: 9 },
      ...{ num_residual_layers: 2, upsampling_ratios: [5, 2], kernel_size: 7, last_kernel_size: 5 },
      ...{ residual_kernel_size: 3, compress: 4, num_lstm_layers: 2, use_conv_shortcut: false },
      // 2,400 frames of 10 bits, of both codebooks.
      ...{ codebook_size: 1000, codebook_dim: 5, target_bandwidths: [48] },
    });
  });

  it("tells shortcuts by their tensors, and takes them for granted where there are no residual blocks", () => {
    const shortcut = { "decoder.model.14.shortcut.conv.conv.weight": [1, 1, 1] };
    expect(codecConfig(codec({ ...shapes, ...shortcut }))["use_conv_shortcut"]).to.equal(true);
    const bare = Object.entries(shapes).filter(([name]) => !name.includes("block"));
    const config = codecConfig(codec(Object.fromEntries(bare)));
    expect(config).to.include({ use_conv_shortcut: true, num_residual_layers: 0 });
    expect(config).to.not.have.any.keys("residual_kernel_size", "compress");
  });

  it("halves the codebooks down to two", () => {
    const bandwidths = (books: number): unknown => {
      const all = Array.from({ length: books }, (_, i) => [`quantizer.vq.layers.${i}._codebook.embed`, [1024, 5]]);
      const others = Object.entries(shapes).filter(([name]) => !name.startsWith("quantizer"));
      const config = codecConfig(codec(Object.fromEntries([...others, ...all]) as typeof shapes));
      return (config["target_bandwidths"] as PythonFloat[]).map(({ value }) => value);
    };
    expect(bandwidths(32)).to.deep.equal([48, 96, 192, 384, 768]);
    expect(bandwidths(12)).to.deep.equal([72, 144, 288]);
    expect(bandwidths(2)).to.deep.equal([48]);
    expect(bandwidths(1)).to.deep.equal([24]);
  });

  for (const [name, changed, actual] of [
    ["no convolutions", codebook, "no convolutions"],
    ["no transposed convolution", { ...codebook, "decoder.model.0.conv.conv.weight": [1, 1, 1] }, "no convolutions"],
    [
      "no convolution but transposed ones",
      { ...codebook, "decoder.model.0.convtr.convtr.weight": [1, 1, 2] },
      "no convolutions",
    ],
    [
      "a codebook of three axes",
      { ...shapes, "quantizer.vq.layers.0._codebook.embed": [2, 2, 2] },
      "quantizer.vq.layers.0._codebook.embed of shape [2, 2, 2]",
    ],
    [
      "a convolution of nothing",
      { ...shapes, "decoder.model.10.conv.conv.weight": [2, 0, 5] },
      "decoder.model.10.conv.conv.weight of shape [2, 0, 5]",
    ],
  ] as const)
    it(`refuses ${name}`, async () => {
      const error = await engineErrorOf(() => codecConfig(codec(changed)));
      expect([error.code, error.where, error.actual]).to.deep.equal(["bad-input", "codec.th", actual]);
    });

  it("refuses what holds nothing", async () => {
    expect((await engineErrorOf(() => codecConfig(codec({})))).where).to.equal("codec");
  });
});
