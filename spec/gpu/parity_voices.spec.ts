import { expect } from "chai";
import { BarkModel } from "../../bark/model.ts";
import { VoicePresets } from "../../bark/voice/voices.ts";
import type { FileStore } from "../../checkpoint/stores/file_store.ts";
import { expectParity, readRuns, type FixtureRun } from "../support/fixture.ts";
import { fixtureCheckpoint } from "../support/files/fixture_checkpoint.ts";
import { sharedGpu } from "../support/gpu.ts";
import { readFixture } from "../support/runtime.ts";

describe("parity with voices of .npz files", () => {
  let store: FileStore;
  let model: BarkModel;
  let runs: FixtureRun[];

  before(async () => {
    ({ runs } = await readRuns("voices"));
    store = await fixtureCheckpoint("voices");
    model = await BarkModel.from_pretrained(store, { gpu: await sharedGpu() });
  });
  after(() => model.dispose());

  const storage = {
    suno: "int64 and int32, one array in Fortran order",
    announcer: "uint16",
    compressed: "deflated",
    int32: "big-endian int32",
  };
  for (const [name, how] of Object.entries(storage))
    it(`${name}: ${how}`, async () => {
      const run = runs.find((candidate) => candidate.name === name);
      expect(run?.voice).to.equal(`${name}.npz`);
      const voices = await VoicePresets.from_pretrained(store);
      const history_prompt = await voices.load(await readFixture(`voices/${name}.npz`));
      await expectParity(model, "voices", run!, { history_prompt });
    });
});
