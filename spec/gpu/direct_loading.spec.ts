import { expect } from "chai";
import { BarkConfig } from "../../bark/config/config.ts";
import { BarkModel } from "../../bark/model.ts";
import { BarkProcessor } from "../../bark/text/processor.ts";
import { BarkSemanticModel } from "../../bark/sub_models.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { expectParity, readRuns } from "../support/fixture.ts";
import { sharedGpu } from "../support/gpu.ts";
import { openTorchLayout, torchLayouts } from "../support/files/torch_fixture.ts";
import { fixtureCheckpoint } from "../support/files/fixture_checkpoint.ts";

describe("checkpoints as torch saves them, loaded as they are", () => {
  for (const [name, layout] of Object.entries(torchLayouts))
    it(`${name}: the tokens and the audio of transformers`, async () => {
      const model = await BarkModel.from_pretrained(await openTorchLayout(layout), { gpu: await sharedGpu() });
      try {
        expect(model.dtype).to.equal("f32");
        const { runs } = await readRuns(layout.runs);
        for (const run of runs) await expectParity(model, layout.runs, run);
      } finally {
        model.dispose();
      }
    });

  it("suno's files: config, generation config and processor", async () => {
    const store = await openTorchLayout(torchLayouts["suno's files"]);
    const expected = await BarkConfig.from_pretrained(await fixtureCheckpoint("storage_f32"));
    const config = await BarkConfig.from_pretrained(store);
    // Meta's codec of that name is one of 24 kHz; its files do not say it, and this small one's is another.
    const { codec_config } = expected;
    const codec = { ...codec_config.to_dict(), sampling_rate: 24000, target_bandwidths: [30, 60, 120] };
    const { architectures } = config;
    expect(config.to_dict()).to.deep.equal({ ...expected.to_dict(), architectures, codec_config: codec });
    const processor = await BarkProcessor.from_pretrained(store);
    const { input_ids } = await processor("hello, my dog is cute.", { max_length: 8 });
    expect(input_ids.tolist()).to.deep.equal([[5, 6, 7, 8, 9, 10, 11, 0]]);
  });

  it("suno's files: a sub-model alone", async () => {
    const gpu = await sharedGpu();
    const input_ids = new NdArray(Int32Array.of(1, 2, 3), [1, 3]);
    const logits = [];
    for (const store of [await openTorchLayout(torchLayouts["suno's files"]), await fixtureCheckpoint("storage_f32")]) {
      const model = await BarkSemanticModel.from_pretrained(store, { gpu });
      logits.push((await model.forward({ input_ids })).logits);
      model.dispose();
    }
    expect(logits[0]).to.deep.equal(logits[1]);
  });
});
