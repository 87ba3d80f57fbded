import { routeGenerateKwargs } from "../../bark/generate/options/generate_options.ts";
import { BarkModel } from "../../bark/model.ts";
import { BarkProcessor } from "../../bark/text/processor.ts";
import { generateSemantic } from "../../bark/generate/semantic_stage.ts";
import { StageRun } from "../../bark/generate/stage_run.ts";
import { expectSpokenParity, expectTokens, inputsOf, readRuns, type FixtureRun } from "../support/fixture.ts";
import { sharedGpu } from "../support/gpu.ts";
import { openRepositoryStore } from "../support/runtime.ts";

// A whole run takes a software adapter half a minute, the longest over one: there is one of each voice, that of the
// other is in spec/gpu.
const spokenToTheEnd = ["quiet_en_speaker_0"];

const { runs } = await readRuns("nano");

describe("parity of the embedded checkpoint, run by run", () => {
  let model: BarkModel;
  let processor: BarkProcessor;

  before(async () => {
    const store = await openRepositoryStore("models/nano");
    processor = await BarkProcessor.from_pretrained(store);
    model = await BarkModel.from_pretrained(store, { gpu: await sharedGpu() });
  });
  after(() => model.dispose());

  for (const run of runs)
    if (spokenToTheEnd.includes(run.name))
      it(`${run.name}, text to audio`, () => expectSpokenParity(model, processor, "nano", run));
    else it(`${run.name}, text to semantic tokens`, () => expectSemanticParity(model, processor, run));
});

async function expectSemanticParity(model: BarkModel, processor: BarkProcessor, run: FixtureRun): Promise<void> {
  const { attention_mask, input_ids, history_prompt = null } = await inputsOf(run, model, processor);
  const { generation_config } = model;
  const { semantic: options } = routeGenerateKwargs({ attention_mask, do_sample: false }, generation_config);
  const ids = input_ids.tolist() as number[][];
  const stage = new StageRun("semantic", { seed: 0n });
  const { semantic_config } = generation_config;
  const tokens = await model.semantic.weights.use((weights) =>
    generateSemantic(weights, ids, history_prompt, semantic_config, options, stage),
  );
  expectTokens(tokens, run.semantic, "semantic");
}
