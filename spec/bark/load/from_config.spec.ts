import { expect } from "chai";
import { readFileSync } from "node:fs";
import { BarkConfig } from "../../../bark/config/config.ts";
import { newWeights } from "../../../bark/load/from_config.ts";
import { barkTensors, causalTensors, fineTensors } from "../../../bark/load/expected_tensors.ts";
import { countParameters } from "../../../bark/load/parameters.ts";
import { RandomReader } from "../../../checkpoint/random_reader.ts";
import { codecTensors } from "../../../encodec/expected_tensors.ts";
import type { JsonObject } from "../../../engine/check/json_fields.ts";
import { engineErrorOf } from "../../support/rejection.ts";

interface Described {
  readonly shape: readonly number[];
  readonly mean: number;
  readonly std: number;
  readonly kurtosis: number;
}

interface Model {
  readonly config: JsonObject;
  /** Of the whole, the semantic, the coarse and the fine model, and the codec. */
  readonly num_parameters: readonly number[];
  readonly without_embeddings: readonly number[];
  readonly tensors: Readonly<Record<string, Described>>;
}
type Models = Readonly<Record<string, Model>>;
const models = JSON.parse(readFileSync("spec/fixtures/new_models/models.json", "utf8")) as Models;

function describeValues(values: Float32Array): Omit<Described, "shape"> {
  const moment = (power: number, around: number): number =>
    values.reduce((sum, value) => sum + (value - around) ** power, 0) / values.length;
  const mean = moment(1, 0);
  const std = Math.sqrt(moment(2, mean));
  return { mean, std, kurtosis: std === 0 ? 0 : moment(4, mean) / std ** 4 };
}

describe("weights of a new model", () => {
  const readerOf = (config: JsonObject, seed = 1n): RandomReader =>
    new RandomReader("a new Bark", seed, barkTensors(new BarkConfig(config)));

  for (const [name, { config, tensors, num_parameters, without_embeddings }] of Object.entries(models))
    describe(`of the ${name} configuration of the fixture`, () => {
      const reader = readerOf(config);

      it("are the tensors that transformers saves", () => {
        expect([...reader.names()].sort()).to.deep.equal(Object.keys(tensors));
        for (const tensor of reader.names())
          expect(reader.info(tensor).shape, tensor).to.deep.equal(tensors[tensor].shape);
      });

      it("are as many parameters as transformers counts", () => {
        const made = new BarkConfig(config);
        const parts = [
          barkTensors(made),
          causalTensors(made.semantic_config),
          causalTensors(made.coarse_acoustics_config),
          fineTensors(made.fine_acoustics_config),
          codecTensors(made.codec_config),
        ].map((part) => [...part]);
        expect(parts.map((part) => countParameters(part, { only_trainable: true }))).to.deep.equal(num_parameters);
        expect(parts.map((part) => countParameters(part, { exclude_embeddings: true }))).to.deep.equal(
          without_embeddings,
        );
      });

      it("have transformers' mean, deviation and shape of distribution", async () => {
        for (const [tensor, expected] of Object.entries(tensors)) {
          const values = await reader.readFloat32(tensor);
          // A few random numbers say nothing.
          if (values.length < 16 && !tensor.endsWith("inited")) continue;
          const found = describeValues(values);
          // Both are samples: five standard errors of their difference, of a normal distribution.
          const error = 5 * Math.sqrt(2 / values.length);
          if (expected.std === 0) {
            expect(found, tensor).to.deep.include({ mean: expected.mean, std: 0 });
            continue;
          }
          expect(found.mean, `${tensor} mean`).closeTo(expected.mean, error * Math.max(expected.std, found.std) + 1e-9);
          if (values.length < 100) continue;
          expect(found.std / expected.std, `${tensor} std`).closeTo(1, error);
          if (values.length > 2000) expect(found.kurtosis, `${tensor} kurtosis`).closeTo(expected.kurtosis, 7 * error);
        }
      });
    });

  const { config } = models["usual"];
  const table = "semantic.input_embeds_layer.weight";
  const magnitude = "codec_model.decoder.layers.4.block.1.conv.parametrizations.weight.original0";

  it("are the same in whatever parts they are read", async () => {
    const reader = readerOf(config);
    for (const name of [table, magnitude]) {
      const [rows, ...rest] = reader.info(name).shape;
      const width = rest.reduce((product, extent) => product * extent, 1);
      const whole = await reader.readFloat32(name);
      expect(await reader.readRows(name, 1, rows - 1)).to.deep.equal(whole.slice(width));
      const gathered = await reader.gatherRows(name, [rows - 1, 0]);
      expect(gathered).to.deep.equal(Float32Array.from([...whole.slice(-width), ...whole.slice(0, width)]));
    }
  });

  it("follow from the seed and the tensor's name", async () => {
    const values = async (seed: bigint, name: string): Promise<number[]> =>
      Array.from((await readerOf(config, seed).readFloat32(name)).subarray(0, 8));
    const first = await values(7n, table);
    expect(await values(7n, table)).to.deep.equal(first);
    for (const other of [values(8n, table), values(7n, "coarse_acoustics.input_embeds_layer.weight")])
      expect((await other).some((value) => first.includes(value))).to.equal(false);
  });

  it("are halves where halves are wanted", async () => {
    const whole = readerOf(config, 3n);
    const make = async (fields: object, options: object) => {
      const made = new BarkConfig({ ...config, ...fields });
      return await newWeights("BarkModel", barkTensors(made), made, { seed: 3n, ...options })();
    };
    const half = await make({}, { dtype: "f16" });
    expect(half.info(table).dtype).to.equal("F16");
    // The config's counts where none is given.
    expect((await make({ dtype: "bfloat16" }, {})).info(table).dtype).to.equal("BF16");
    expect((await make({ dtype: "float16" }, { dtype: "f32" })).info(table).dtype).to.equal("F32");
    const error = await engineErrorOf(() => make({ dtype: "float64" }, {}));
    expect(error.toLine()).to.match(/^config\.dtype: wrong value \(expected f32/);
    const [rounded, exact] = [await half.readRows(table, 0, 4), await whole.readRows(table, 0, 4)];
    for (const [i, value] of exact.entries()) expect(rounded[i]).closeTo(value, Math.abs(value) * 2 ** -11 + 2 ** -25);
    expect(rounded).to.not.deep.equal(exact);
  });

  it("are refused at once where no machine could hold them", async () => {
    for (const fields of [{ num_layers: 1e12 }, { input_vocab_size: 1e12 }]) {
      const error = await engineErrorOf(() => readerOf({ ...config, semantic_config: fields }));
      expect(error.toLine()).to.match(/^a new Bark: semantic\..*: is too large a configuration \(expected at most/);
    }
  });

  it("name a tensor that they do not have", async () => {
    const error = await engineErrorOf(() => readerOf(config).readFloat32("semantic.layers.2.mlp"));
    expect(error.toLine()).to.include("tensor semantic.layers.2.mlp is missing");
  });
});
