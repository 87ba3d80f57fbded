import { BarkModel } from "../../bark/model.ts";
import { expectParity, readRuns } from "../support/fixture.ts";
import { fixtureCheckpoint } from "../support/files/fixture_checkpoint.ts";
import { sharedGpu } from "../support/gpu.ts";

const { runs } = await readRuns("golden");
// The same tokens as `batch_lengths`, kept without audio.
const repeated = "batch";

// The fine model's windows of 1024 frames take a software adapter ten seconds a row, so these run in Node alone; logits
// and codec of the same checkpoint are in spec/gpu.
describe("parity of a Bark with the vocabularies, windows and codec of the published ones", () => {
  let model: BarkModel;

  before(async () => {
    model = await BarkModel.from_pretrained(await fixtureCheckpoint("golden"), { gpu: await sharedGpu() });
  });
  after(() => model.dispose());

  for (const run of runs.filter(({ name }) => name !== repeated))
    it(run.name.replaceAll("_", " "), () => expectParity(model, "golden", run));
});
