import { BarkModel } from "../../bark/model.ts";
import { BarkProcessor } from "../../bark/text/processor.ts";
import { expectSpokenParity, readRuns } from "../support/fixture.ts";
import { sharedGpu } from "../support/gpu.ts";
import { openRepositoryStore } from "../support/runtime.ts";

describe("parity of the embedded checkpoint", () => {
  it("from text to audio", async () => {
    const { runs } = await readRuns("nano");
    const store = await openRepositoryStore("models/nano");
    const processor = await BarkProcessor.from_pretrained(store);
    const model = await BarkModel.from_pretrained(store, { gpu: await sharedGpu() });
    try {
      // The shortest: every runtime runs it, the others run in Node alone (spec/bark/parity_nano.spec.ts).
      await expectSpokenParity(
        model,
        processor,
        "nano",
        runs.find(({ name }) => name === "quiet_en_speaker_1")!,
      );
    } finally {
      model.dispose();
    }
  });
});
