import { expect } from "chai";
import { BarkFineConfig, BarkSemanticConfig } from "../../bark/config/config.ts";
import { DynamicCache } from "../../bark/gpt/forward/dynamic_cache.ts";
import type { LegacyCache } from "../../bark/gpt/forward/dynamic_cache.ts";
import { BarkFineModel, BarkSemanticModel } from "../../bark/sub_models.ts";
import type { JsonObject } from "../../engine/check/json_fields.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { sharedGpu } from "../support/gpu.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { readFixtureJson } from "../support/runtime.ts";

/** What transformers' forward of a new model answered. */
interface Case {
  readonly part: "semantic" | "fine";
  readonly config: JsonObject;
  readonly kwargs: object;
  readonly keys?: Readonly<Record<string, string>>;
  readonly loss?: null;
  readonly tuple?: readonly string[];
}

const cases = await readFixtureJson<Case[]>("forward/outputs.json");

const kindOf = (value: unknown): string =>
  value instanceof NdArray ? "array" : Array.isArray(value) ? `${value.length} arrays` : cacheKind(value);
const cacheKind = (value: unknown): string => (value instanceof DynamicCache ? "cache" : "something else");
const gpt = cases[0].config;
const input_ids = [[1, 1, 1]];

describe("what forward answers", () => {
  for (const { part, config, kwargs, ...expected } of cases) {
    const inConfig = JSON.stringify(Object.fromEntries(Object.entries(config).filter(([name]) => !(name in gpt))));
    it(`${part} with ${JSON.stringify(kwargs)} and ${inConfig} in the config`, async () => {
      const options = { seed: 1, gpu: await sharedGpu() };
      let output: object;
      if (part === "semantic") {
        const model = await BarkSemanticModel.from_config(new BarkSemanticConfig(config), options);
        output = await model.forward({ input_ids, ...kwargs });
        model.dispose();
      } else {
        const model = await BarkFineModel.from_config(new BarkFineConfig(config), options);
        const codes = [[1, 1, 1].map(() => Array<number>(8).fill(1))];
        output = await model.forward({ codebook_idx: 2, input_ids: codes, ...kwargs });
        model.dispose();
      }
      if (expected.tuple !== undefined) {
        expect(output).to.be.an("array");
        expect(Object.values(output).map(kindOf)).to.deep.equal(expected.tuple);
        return;
      }
      const kinds = Object.entries(output).map(([name, value]) => [name, kindOf(value)]);
      expect(Object.fromEntries(kinds)).to.deep.equal(expected.keys);
      for (const absent of ["loss", "hidden_states", "attentions"])
        if (!Object.hasOwn(expected.keys!, absent)) expect(output).to.have.property(absent, null);
    });
  }

  describe("of one model", () => {
    let model: BarkSemanticModel;
    before(async () => {
      model = await BarkSemanticModel.from_config(new BarkSemanticConfig(gpt), { seed: 1, gpu: await sharedGpu() });
    });
    after(() => model.dispose());

    it("is the same where the model itself is called", async () => {
      const { logits } = await model({ input_ids });
      expect(logits).to.deep.equal((await model.forward({ input_ids })).logits);
      expect(await model({ input_ids, return_dict: false })).to.be.an("array");
      expect((await engineErrorOf(async () => model({}))).message).to.include("You have to specify either input_ids");
    });

    it("is the same after a cache, the tuples of its keys and values, and its layers", async () => {
      const { past_key_values } = await model.forward({ input_ids });
      const continued = async (past: DynamicCache | LegacyCache) =>
        (await model.forward({ input_ids: [[2]], past_key_values: past })).logits;
      const expected = await continued(past_key_values!);
      const tuples = past_key_values!.layers.map(({ keys, values }) => [keys, values] as const);
      expect(await continued(tuples)).to.deep.equal(expected);
      expect(await continued(past_key_values!.layers as never)).to.deep.equal(expected);
    });

    it("has no part for what transformers ignores", async () => {
      for (const name of ["head_mask", "cache_position"]) {
        await model.forward({ input_ids, [name]: null });
        const error = await engineErrorOf(() => model.forward({ input_ids, [name]: [[1, 1]] }));
        expect(error.toLine()).to.match(new RegExp(`^${name}: .* not supported; .*transformers 5.23 .* ignores it`));
      }
    });
  });
});
