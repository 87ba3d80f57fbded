import { BarkModel } from "../../bark/model.ts";
import { expectParity, readRuns } from "../support/fixture.ts";
import { fixtureCheckpoint } from "../support/files/fixture_checkpoint.ts";
import { sharedGpu } from "../support/gpu.ts";

const { runs } = await readRuns("long");

describe("parity of the longest run", () => {
  let model: BarkModel;

  before(async () => {
    model = await BarkModel.from_pretrained(await fixtureCheckpoint("long"), { gpu: await sharedGpu() });
  });
  after(() => model.dispose());

  // Half a minute on two idle cores, and a machine that runs tests is seldom idle.
  for (const run of runs) it(`run ${run.name}`, () => expectParity(model, "long", run)).timeout(300_000);
});
