import { expect } from "chai";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { BarkConfig, BarkFineConfig, BarkSemanticConfig } from "../../../bark/config/config.ts";
import {
  barkTensors,
  causalTensors,
  checkGptTensors,
  fineTableNames,
  fineTensors,
} from "../../../bark/load/expected_tensors.ts";
import { openWeights } from "../../../checkpoint/open_weights.ts";
import { checkDecoder } from "../../../encodec/expected_tensors.ts";
import { EncodecConfig } from "../../../encodec/config.ts";
import { checkTensors, type ExpectedTensor } from "../../../engine/weights/expected_tensors.ts";
import type { JsonObject } from "../../../engine/check/json_fields.ts";
import { DirectoryStore } from "../../../checkpoint/node/directory_store.ts";
import type { TensorReader } from "../../../engine/weights/tensor_reader.ts";
import { engineErrorOf } from "../../support/rejection.ts";
import { syntheticConfig } from "../../../tools/synthetic.ts";

type Parts = Record<string, JsonObject>;
const nano = JSON.parse(readFileSync("models/nano/config.json", "utf8")) as Parts;
const layersOf = (part: string): number => nano[part]["num_layers"] as number;
/** The first layer that the embedded checkpoint does not have. */
const firstMissing = (part: string): RegExp => new RegExp(`tensor ${part}\\.layers\\.${layersOf(`${part}_config`)}\\.`);

describe("tensors that a config asks for", () => {
  let reader: TensorReader;
  /** How often a name was asked for. */
  let asked = 0;
  before(async () => {
    const weights = await openWeights(new DirectoryStore("models/nano"));
    const count = (name: string): boolean => (asked++, weights.has(name));
    reader = new Proxy(weights, {
      get: (target, key) => (key === "has" ? count : (Reflect.get(target, key, target) as () => unknown).bind(target)),
    });
  });
  after(() => reader.close());

  const check = (config: BarkConfig): void => {
    checkGptTensors(reader, config);
    checkDecoder(reader, "codec_model.", config.codec_config, 8);
  };

  it("are those of the embedded checkpoint", () => {
    check(BarkConfig.from_dict(nano));
  });

  const refused: readonly [part: string, fields: JsonObject, says: RegExp][] = [
    ["semantic_config", { num_layers: layersOf("semantic_config") + 1 }, firstMissing("semantic")],
    ["semantic_config", { block_size: 2 ** 53 - 1 }, /tensor semantic\.position_embeds_layer\.weight does not fit/],
    ["coarse_acoustics_config", { num_layers: 1e8 }, firstMissing("coarse_acoustics")],
    ["coarse_acoustics_config", { bias: true }, /tensor coarse_acoustics\.layers\.0\.layernorm_1\.bias is missing/],
    ["fine_acoustics_config", { num_layers: 1e15 }, firstMissing("fine_acoustics")],
    [
      "fine_acoustics_config",
      { n_codes_total: 1e9 },
      /tensor fine_acoustics\.input_embeds_layers\.8\.weight is missing/,
    ],
    ["fine_acoustics_config", { n_codes_total: 1e9, n_codes_given: 1e9 }, /input_embeds_layers\.8\.weight is missing/],
    ["codec_config", { num_lstm_layers: 1e9 }, /tensor codec_model\.decoder\.layers\.1\.lstm\.weight_ih_l1 is missing/],
    [
      "codec_config",
      { num_residual_layers: 1e9, dilation_growth_rate: 1 },
      /decoder\.layers\.5\.block\.1\.conv\.weight is/,
    ],
    ["codec_config", { num_residual_layers: 1e9 }, /codec_config\.dilation_growth_rate: .*got Infinity/],
    ["codec_config", { num_residual_layers: 3, dilation_growth_rate: 257 }, /dilation_growth_rate: .*got 66049/],
    ["codec_config", { upsampling_ratios: [8, 5, 4, 2, 1e9] }, /codec_model\.decoder\.layers\.0\.conv/],
    ["codec_config", { upsampling_ratios: [8, 5, 4, 1e9] }, /codec_model\.decoder\.layers\.12\.conv/],
    ["codec_config", { upsampling_ratios: Array<number>(1e5).fill(1) }, /codec_model\.decoder\.layers\.0\.conv/],
    ["codec_config", { compress: 1e9 }, /decoder\.layers\.4\.block\.1\.conv/],
    ["codec_config", { kernel_size: 2 ** 31 }, /decoder\.layers\.0\.conv/],
    ["codec_config", { last_kernel_size: 9 }, /decoder\.layers\.15\.conv/],
    ["codec_config", { audio_channels: 2 }, /decoder\.layers\.15\.conv/],
    ["codec_config", { codebook_size: 1025 }, /quantizer\.layers\.0\.codebook\.embed does not fit/],
    ["codec_config", { num_filters: 17 }, /decoder\.layers\.0\.conv/],
  ];
  for (const [part, fields, says] of refused)
    it(`are missing for ${part} ${JSON.stringify(fields).slice(0, 60)}, which fails at once`, async () => {
      const config = BarkConfig.from_dict({ ...nano, [part]: { ...nano[part], ...fields } });
      asked = 0;
      const error = await engineErrorOf(() => check(config));
      expect(error.code).to.equal("bad-input");
      expect(error.message).to.match(says);
      expect(asked).to.be.below(400);
    });

  it("are as many codebooks as a codec has bandwidth for, where it stands alone", async () => {
    const config = EncodecConfig.from_dict({ ...nano["codec_config"], target_bandwidths: [6, 1e9] });
    const error = await engineErrorOf(() => checkDecoder(reader, "codec_model.", config));
    expect(error.message).to.match(/quantizer\.layers\.8\.codebook\.embed is missing/);
  });

  it("of the fine model alone end where the first is missing", async () => {
    const config = new BarkFineConfig({ ...nano["fine_acoustics_config"], n_codes_total: 1e9 });
    const error = await engineErrorOf(() => checkTensors(reader, "fine_acoustics.", fineTensors(config)));
    expect(error.message).to.match(/input_embeds_layers\.8\.weight is missing/);
    expect(causalTensors(new BarkConfig().semantic_config).next().value).to.deep.include({
      names: ["input_embeds_layer.weight"],
      shape: [10048, 768],
    });
  });

  const listed = (tensors: Iterable<ExpectedTensor>): string[] =>
    Array.from(tensors, ({ names, shape }) => `${names.join("|")} ${shape.join("x")}`);
  const sizes = { hidden_size: 4, num_heads: 1, num_layers: 1, block_size: 8, input_vocab_size: 10 };
  const matrices = ["attn.att_proj 12x4", "attn.out_proj 4x4", "mlp.in_proj 16x4", "mlp.out_proj 4x16"];
  const biases = ["attn.att_proj 12", "attn.out_proj 4", "mlp.in_proj 16", "mlp.out_proj 4"];
  const weights = matrices.map((entry) => `layers.0.${entry.replace(" ", ".weight ")}`);
  const norms = ["layers.0.layernorm_1", "layers.0.layernorm_2", "layernorm_final"];

  it("of a causal model have biases where the config says so", () => {
    for (const bias of [true, false]) {
      const config = new BarkSemanticConfig({ ...sizes, output_vocab_size: 9, bias });
      expect(listed(causalTensors(config)).sort()).deep.equal(
        [
          ...["input_embeds_layer.weight 10x4", "position_embeds_layer.weight 8x4", "lm_head.weight 9x4"],
          ...[...weights, ...norms.map((name) => `${name}.weight 4`)],
          ...(bias
            ? [
                ...biases.map((entry) => `layers.0.${entry.replace(" ", ".bias ")}`),
                ...norms.map((name) => `${name}.bias 4`),
              ]
            : []),
        ].sort(),
      );
    }
  });

  for (const [given, tables, heads] of [
    [
      1,
      ["0.weight", "1.weight|lm_heads.0.weight", "2.weight|lm_heads.1.weight", "3.weight|lm_heads.2.weight"],
      [
        "0.weight|input_embeds_layers.1.weight",
        "1.weight|input_embeds_layers.2.weight",
        "2.weight|input_embeds_layers.3.weight",
      ],
    ],
    [
      2,
      ["0.weight", "1.weight|lm_heads.0.weight", "2.weight|lm_heads.1.weight", "3.weight"],
      ["0.weight|input_embeds_layers.1.weight", "1.weight|input_embeds_layers.2.weight"],
    ],
  ] as const)
    it(`of the fine model share head i with table i + 1, with ${given} codebooks given`, () => {
      const config = new BarkFineConfig({
        ...sizes,
        output_vocab_size: 10,
        bias: false,
        n_codes_total: 4,
        n_codes_given: given,
      });
      expect(listed(fineTensors(config)).sort()).deep.equal(
        [
          ...tables.map((names) => `input_embeds_layers.${names} 10x4`),
          ...heads.map((names) => `lm_heads.${names} 10x4`),
          ...["position_embeds_layer.weight 8x4", ...weights],
          ...norms.flatMap((name) => [`${name}.weight 4`, `${name}.bias 4`]),
        ].sort(),
      );
      expect(fineTableNames(given - 1, config).head).deep.equal([]);
    });
});

describe("tensors of the published checkpoints", () => {
  // Fingerprints of bark-spec appendix A; that of bark-small was taken from the published file.
  const known = {
    small: { tensors: 542, hash: "2d533d2e10a325c74123bfefbceeef42503a6a5aecdbdddcf2047c76807f7b1c" },
    large: { tensors: 806, hash: "97f4ae12a6d130bcdb3d2751c9b8bc1f344035b93b4b036c5f117143c35944f5" },
  };

  for (const size of ["small", "large"] as const)
    it(`of Bark ${size} are those of its config, under the names of 2023`, () => {
      const config = syntheticConfig(size);
      const lines = Array.from(barkTensors(config), ({ names, shape }) => {
        const name = names.find((old) => /\.weight_[gv]$/.test(old)) ?? names[0];
        return `${name}|F32|${shape.join("x")}`;
      });
      // Files of 2023 hold the masks of causal attention too.
      for (const part of ["semantic", "coarse_acoustics"])
        for (let i = 0; i < config.semantic_config.num_layers; i++)
          lines.push(`${part}.layers.${i}.attn.bias|BOOL|1x1x1024x1024`);
      expect(lines).to.have.length(known[size].tensors);
      const sorted = lines.sort((a, b) => (a.split("|")[0] < b.split("|")[0] ? -1 : 1));
      expect(createHash("sha256").update(sorted.join("\n")).digest("hex")).equal(known[size].hash);
    });
});
