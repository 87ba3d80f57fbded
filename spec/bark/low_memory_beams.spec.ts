import { expect } from "chai";
import type { BarkGenerateKwargs } from "../../bark/generate/options/generate_arguments.ts";
import { BarkModel } from "../../bark/model.ts";
import { sharedGpu } from "../support/gpu.ts";
import { openRepositoryStore } from "../support/runtime.ts";

// In Node alone: what beams do is JavaScript, and spec/gpu holds low memory in every runtime.
describe("one sub-model on the GPU at a time, with beams", () => {
  it("searches a batch as with all of them there", async () => {
    const store = await openRepositoryStore("models/nano");
    const beams: BarkGenerateKwargs = {
      input_ids: [0, 1].map((row) => Array.from({ length: 64 }, (_, i) => (i < 3 ? 40 + i + row : 0))),
      do_sample: false,
      semantic_max_new_tokens: 8,
      semantic_num_beams: 3,
    };
    const runs = [];
    for (const low_memory of [false, true]) {
      const model = await BarkModel.from_pretrained(store, { gpu: await sharedGpu(), low_memory });
      runs.push((await model.generate_output(beams)).coarse);
      model.dispose();
    }
    expect(runs[0]).length(2);
    expect(runs[1]).deep.equal(runs[0]);
  });
});
