import { expect } from "chai";
import { openGpu } from "../../engine/gpu.ts";
import { BarkModel } from "../../bark/model.ts";
import { BarkProcessor } from "../../bark/text/processor.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { expectSpokenParity, readRuns } from "../support/fixture.ts";
import { fixtureCheckpoint } from "../support/files/fixture_checkpoint.ts";
import { openRepositoryStore } from "../support/runtime.ts";

describe("all blocks of a step in one dispatch", () => {
  it("speak the tokens of transformers", async () => {
    const { runs } = await readRuns("nano");
    const store = await openRepositoryStore("models/nano");
    const gpu = await openGpu({ versions: { decode_blocks: "resident" } });
    try {
      const processor = await BarkProcessor.from_pretrained(store);
      using model = await BarkModel.from_pretrained(store, { gpu });
      const run = runs.find(({ name }) => name === "quiet_en_speaker_1")!;
      await expectSpokenParity(model, processor, "nano", run);
      const made = new Set(gpu.pipelines.keys.map((key) => key.split("|")[0]));
      expect([...made]).include("decode_blocks.resident");
      expect([...made].filter((name) => name.startsWith("attention_decode"))).deep.equal([]);
    } finally {
      gpu.dispose();
    }
  });

  it("are refused in one line for a width that they cannot do", async () => {
    const gpu = await openGpu({ versions: { decode_blocks: "resident" } });
    try {
      const load = async () => BarkModel.from_pretrained(await fixtureCheckpoint("storage_f32"), { gpu });
      expect((await engineErrorOf(load)).toLine()).match(/^decode_blocks\.resident: .*multiple of 32.*got 24/);
    } finally {
      gpu.dispose();
    }
  });
});
