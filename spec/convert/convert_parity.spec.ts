import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { BarkModel } from "../../bark/model.ts";
import { convertCheckpoint } from "../../convert/convert_checkpoint.ts";
import { expectParity, readRuns } from "../support/fixture.ts";
import { sharedGpu } from "../support/gpu.ts";
import { openTorchLayout, torchLayouts } from "../support/files/torch_fixture.ts";

describe("a checkpoint that was converted to f32", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "bark-convert-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  for (const [name, layout] of Object.entries(torchLayouts))
    it(`speaks the tokens of transformers: ${name}`, async () => {
      const { runs } = await readRuns(layout.runs);
      await convertCheckpoint(await openTorchLayout(layout), folder, { dtype: "f32" });
      const model = await BarkModel.from_pretrained(folder, { gpu: await sharedGpu() });
      for (const run of runs) await expectParity(model, layout.runs, run);
      model.dispose();
    });
});
