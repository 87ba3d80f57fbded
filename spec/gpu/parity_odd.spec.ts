import { BarkModel } from "../../bark/model.ts";
import { expectParity, readRuns } from "../support/fixture.ts";
import { fixtureCheckpoint } from "../support/files/fixture_checkpoint.ts";
import { sharedGpu } from "../support/gpu.ts";

const { runs } = await readRuns("odd");

describe("parity of a Bark with other numbers throughout", () => {
  let model: BarkModel;

  before(async () => {
    model = await BarkModel.from_pretrained(await fixtureCheckpoint("odd"), { gpu: await sharedGpu() });
  });
  after(() => model.dispose());

  for (const run of runs) it(run.name.replaceAll("_", " "), () => expectParity(model, "odd", run));
});
