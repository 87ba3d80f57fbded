import { expect } from "chai";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  BarkCoarseConfig,
  BarkConfig,
  BarkFineConfig,
  BarkSemanticConfig,
  EncodecConfig,
} from "../../../bark/config/config.ts";
import { EngineError } from "../../../engine/errors.ts";
import type { JsonObject } from "../../../engine/check/json_fields.ts";
import "../../../engine/node/index.ts";
import { storeOf } from "../../support/files/memory_files.ts";
import { engineErrorOf } from "../../support/rejection.ts";

const cased = JSON.parse(readFileSync("spec/fixtures/cased/config.json", "utf8")) as Record<string, JsonObject>;

function line(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof EngineError) return error.toLine();
    throw error;
  }
  return "no error";
}

describe("BarkConfig", () => {
  it("has the class defaults of transformers where nothing is given", () => {
    const config = new BarkConfig();
    expect(config.semantic_config).to.include({
      model_type: "semantic",
      block_size: 1024,
      input_vocab_size: 10048,
      output_vocab_size: 10048,
      num_layers: 12,
      num_heads: 12,
      hidden_size: 768,
      dropout: 0,
      bias: true,
      initializer_range: 0.02,
      use_cache: true,
    });
    expect(config.fine_acoustics_config).to.include({
      n_codes_total: 8,
      n_codes_given: 1,
      tie_word_embeddings: true,
    });
    expect(config.codec_config.model_type).to.equal("encodec");
  });

  it("reads a checkpoint's config.json", () => {
    const config = BarkConfig.from_dict(cased);
    expect(config.semantic_config).to.include({ input_vocab_size: 1536, output_vocab_size: 728, bias: false });
    expect(config.coarse_acoustics_config).to.include({ block_size: 432, num_layers: 6, num_heads: 3 });
    expect(config.fine_acoustics_config).to.include({ block_size: 256, hidden_size: 128 });
    expect(config.codec_config).to.include({ hidden_size: 64, codebook_dim: 64, num_lstm_layers: 1 });
  });

  const shared = {
    ...{ block_size: 5, input_vocab_size: 6, output_vocab_size: 7, num_layers: 8, num_heads: 9, hidden_size: 18 },
    ...{ dropout: 0.5, bias: false, initializer_range: 0.25, use_cache: false },
  };
  const parts = [
    [BarkSemanticConfig, { model_type: "semantic", ...shared }],
    [BarkCoarseConfig, { model_type: "coarse_acoustics", ...shared }],
    [
      BarkFineConfig,
      { model_type: "fine_acoustics", ...shared, n_codes_total: 4, n_codes_given: 3, tie_word_embeddings: false },
    ],
  ] as const;
  for (const [Part, fields] of parts)
    it(`reads each field of a ${Part.name} by its name, and says which is not at least 1`, () => {
      expect(new Part(fields).to_diff_dict()).to.deep.equal(fields);
      expect(Part.from_dict(fields).to_diff_dict()).to.deep.equal(fields);
      const counts = Object.entries(fields).filter(([, value]) => Number.isInteger(value));
      for (const name of counts.map(([name]) => name)) {
        const says = `wrong value of "${name}" (expected an integer ≥ 1, got 0)`;
        expect(line(() => new Part({ ...fields, [name]: 0 }))).to.include(`${Part.name}: ${says}`);
        expect(line(() => Part.from_dict({ ...fields, [name]: 0 }, "f.json"))).to.include(`f.json: ${says}`);
      }
    });

  it("reads its own field, needs no model_type, and says in code and of a file where it is wrong", () => {
    expect(BarkConfig.from_dict({ initializer_range: 0.25 }).to_dict()).to.deep.equal(
      new BarkConfig({ initializer_range: 0.25 }).to_dict(),
    );
    expect(new BarkConfig({ initializer_range: 0.25 }).initializer_range).to.equal(0.25);
    const wrong = { initializer_range: "a" as never };
    expect(line(() => new BarkConfig(wrong))).to.match(/^BarkConfig: wrong value of "initializer_range"/);
    expect(line(() => BarkConfig.from_dict(wrong))).to.match(/^config\.json: wrong value of "initializer_range"/);
    expect(line(() => new BarkFineConfig({ tie_word_embeddings: 1 }))).to.match(/^BarkFineConfig: wrong value of "tie/);
    expect(new BarkFineConfig({ n_codes_total: 2, n_codes_given: 2 }).n_codes_given).to.equal(2);
  });

  it("gives back in to_dict what from_dict took", () => {
    const { transformers_version, ...fields } = cased;
    expect(transformers_version).to.be.a("string");
    expect(BarkConfig.from_dict(cased).to_diff_dict()).to.deep.equal(fields);
    expect(BarkConfig.from_dict(BarkConfig.from_dict(cased).to_dict())).to.deep.equal(BarkConfig.from_dict(cased));
  });

  it("takes the aliases, for reading and in dictionaries", () => {
    const config = new BarkSemanticConfig({
      num_attention_heads: 4,
      num_hidden_layers: 3,
      window_size: 77,
      vocab_size: 99,
      hidden_size: 36,
    });
    expect(config).to.include({ num_heads: 4, num_layers: 3, block_size: 77, input_vocab_size: 99 });
    expect([config.num_attention_heads, config.num_hidden_layers, config.window_size, config.vocab_size]).to.deep.equal(
      [4, 3, 77, 99],
    );
  });

  it("puts sub-configs together", () => {
    const parts = [
      new BarkSemanticConfig({ hidden_size: 24 }),
      new BarkCoarseConfig({ hidden_size: 36 }),
      new BarkFineConfig({ hidden_size: 48 }),
      new EncodecConfig({ hidden_size: 10 }),
    ] as const;
    const config = BarkConfig.from_sub_model_configs(...parts);
    expect(config.semantic_config).to.equal(parts[0]);
    expect(config.coarse_acoustics_config).to.equal(parts[1]);
    expect(config.fine_acoustics_config).to.equal(parts[2]);
    expect(config.codec_config).to.equal(parts[3]);
  });

  it("takes a codec without model_type as an EnCodec and refuses any other codec", () => {
    const codec_config = { ...cased["codec_config"], model_type: undefined };
    expect(BarkConfig.from_dict({ ...cased, codec_config }).codec_config.num_filters).to.equal(16);
    expect(line(() => BarkConfig.from_dict({ ...cased, codec_config: { model_type: "dac" } }))).to.equal(
      'config.json: codec_config: wrong value of "model_type" (expected "encodec", got "dac"); correct it, or fetch the file again',
    );
  });

  it("names the file and the field that is wrong", () => {
    const broken = (part: string, fields: JsonObject): string =>
      line(() => BarkConfig.from_dict({ ...cased, [part]: { ...cased[part], ...fields } }));
    expect(broken("semantic_config", { num_heads: 5 })).to.match(
      /^config.json: semantic_config: .*"hidden_size".*num_heads \(5\), got 192/,
    );
    expect(broken("semantic_config", { hidden_size: "192" })).to.match(/"hidden_size".*an integer ≥ 1, got "192"/);
    expect(broken("coarse_acoustics_config", { num_layers: 0 })).to.match(/coarse_acoustics_config.*"num_layers"/);
    expect(broken("coarse_acoustics_config", { num_layers: 1.5 })).to.match(/"num_layers".*got 1.5/);
    expect(broken("coarse_acoustics_config", { block_size: null })).to.match(/"block_size".*an integer, got null/);
    expect(broken("fine_acoustics_config", { bias: 0 })).to.match(/"bias".*true or false, got 0/);
    expect(broken("fine_acoustics_config", { n_codes_given: 9 })).to.match(/"n_codes_given".*n_codes_total \(8\)/);
    expect(broken("codec_config", { upsampling_ratios: [8, 0] })).to.match(/"upsampling_ratios".*integers above 0/);
    expect(broken("codec_config", { norm_type: "layer" })).to.match(/"norm_type".*"weight_norm" or /);
    expect(line(() => BarkConfig.from_dict({ ...cased, semantic_config: [] as never }))).to.match(/not a JSON object/);
    expect(line(() => BarkConfig.from_dict({ ...cased, model_type: "gpt2" }))).to.match(/"model_type".*got "gpt2"/);
  });

  it("reads what Python writes into fields that generating does not need, and names the others", async () => {
    const read = async (changes: string): Promise<string> => {
      const json = JSON.stringify({ ...cased, semantic_config: { ...cased["semantic_config"], x: 0 } });
      const text = json.replace(/"x":0/, changes);
      return await BarkConfig.from_pretrained(storeOf({ "config.json": text })).then(
        ({ semantic_config }) => JSON.stringify([semantic_config.use_cache, semantic_config.dropout]),
        (error: EngineError) => error.toLine(),
      );
    };
    for (const harmless of ['"use_cache":null', '"dropout":NaN', '"initializer_range":-Infinity', '"unknown":[NaN]'])
      expect(await read(harmless), harmless).to.equal("[true,0]");
    expect(await read('"num_layers":NaN')).to.match(/^memory\/config\.json: semantic_config: .*"num_layers".*got NaN/);
    expect(await read('"hidden_size":Infinity')).to.match(/"hidden_size".*got Infinity/);
  });

  const misused: readonly [name: string, make: () => unknown, says: RegExp][] = [
    [
      "a misspelt field",
      () => new BarkSemanticConfig({ hiden_size: 9 }),
      /^hiden_size: is not a field of BarkSemanticConfig; did you mean "hidden_size"\?$/,
    ],
    ["a misspelt alias", () => new BarkCoarseConfig({ num_hiden_layers: 9 }), /did you mean "num_hidden_layers"/],
    [
      "a misspelt field of the fine part",
      () => new BarkFineConfig({ n_code_total: 9 }),
      /did you mean "n_codes_total"/,
    ],
    ["a misspelt field of the codec", () => new EncodecConfig({ codebook_dims: 9 }), /did you mean "codebook_dim"/],
    ["a misspelt field in a part", () => new BarkConfig({ codec_config: { kernal_size: 9 } }), /^kernal_size: /],
    [
      "a misspelt part",
      () => new BarkConfig({ sematic_config: {} } as never),
      /^sematic_config: is not a field of Bark/,
    ],
    [
      "parts by position",
      () => new BarkConfig(new BarkSemanticConfig()),
      /^BarkConfig: takes its parts by name; .*from_sub/,
    ],
    [
      "a part as the second argument",
      () => new BarkConfig({}, new BarkCoarseConfig() as never),
      /takes its parts by name/,
    ],
    ["a list", () => new BarkConfig([] as never), /not a JSON object/],
    [
      "a part of another class",
      () => new BarkConfig({ semantic_config: new BarkCoarseConfig() as never }),
      /^semantic_config: is of another class \(expected a BarkSemanticConfig or its fields, got a BarkCoarseConfig\)/,
    ],
    [
      "a part that is not an object",
      () => new BarkConfig({ codec_config: 5 as never }),
      /EncodecConfig: is not a JSON object/,
    ],
    [
      "parts that are missing",
      () =>
        BarkConfig.from_sub_model_configs(...([new BarkSemanticConfig()] as unknown as [never, never, never, never])),
      /^coarse_acoustics_config: is missing/,
    ],
  ];
  for (const [name, make, says] of misused)
    it(`refuses ${name} in code`, () => {
      expect(line(make)).to.match(says);
    });

  it("takes in code what transformers writes into all configs, and in files whatever they say", () => {
    const base = { torch_dtype: "float32", architectures: null, _name_or_path: "x", num_beams: 1, id2label: {} };
    for (const Part of [BarkSemanticConfig, BarkCoarseConfig, BarkFineConfig, EncodecConfig]) {
      const config = new Part(base);
      expect(config).to.include({ dtype: "float32", _name_or_path: "x" }).and.not.have.property("num_beams");
      expect(Part.from_dict(base)).to.deep.equal(config);
      expect({ ...Part.from_dict({ ...base, mine: 5 }) }).to.deep.equal({ ...config, mine: 5 });
    }
  });

  it("reads a checkpoint, and a part of one", async () => {
    const store = storeOf({ "config.json": JSON.stringify(cased) });
    expect((await BarkConfig.from_pretrained(store)).fine_acoustics_config.block_size).to.equal(256);
    expect((await BarkCoarseConfig.from_pretrained(store)).block_size).to.equal(432);
    expect((await BarkSemanticConfig.from_pretrained(store)).block_size).to.equal(640);
    expect((await BarkFineConfig.from_pretrained(store)).block_size).to.equal(256);
    const alone = storeOf({ "config.json": JSON.stringify(cased["semantic_config"]) });
    expect((await BarkSemanticConfig.from_pretrained(alone)).block_size).to.equal(640);
  });

  it("writes config.json, which reads as the same", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "bark-config-"));
    try {
      await BarkConfig.from_dict(cased).save_pretrained(folder);
      const written = JSON.parse(readFileSync(path.join(folder, "config.json"), "utf8")) as JsonObject;
      expect(BarkConfig.from_dict(written)).to.deep.equal(BarkConfig.from_dict(cased));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("says when config.json is missing or is no JSON", async () => {
    const fault = async (files: Record<string, string>): Promise<string> =>
      await BarkConfig.from_pretrained(storeOf(files)).then(
        () => "no error",
        (error: EngineError) => `${error.code} ${error.toLine()}`,
      );
    expect(await fault({})).to.match(/^bad-input memory: the checkpoint has no config.json/);
    expect(await fault({ "config.json": "{" })).to.match(/^bad-input memory\/config.json: is not valid JSON/);
    expect(await fault({ "config.json": "[]" })).to.match(/^bad-input memory\/config.json: is not a JSON object/);
    const part = JSON.stringify({ ...cased, coarse_acoustics_config: { num_layers: 0 } });
    const error = await engineErrorOf(() => BarkCoarseConfig.from_pretrained(storeOf({ "config.json": part })));
    expect(error.where).to.equal("memory/config.json: coarse_acoustics_config");
  });
});
