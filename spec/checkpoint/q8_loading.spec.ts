import { expect } from "chai";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { BarkModel } from "../../bark/model.ts";
import { convertCheckpoint } from "../../convert/convert_checkpoint.ts";
import { generateKwargs, readRuns } from "../support/fixture.ts";
import { fixtureCheckpoint } from "../support/files/fixture_checkpoint.ts";
import { sharedGpu } from "../support/gpu.ts";

describe("a checkpoint that was converted to q8", () => {
  it("is q8 on the GPU, too, and speaks as one that is quantised as it loads", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "bark-q8-"));
    try {
      const original = await fixtureCheckpoint("storage_f32");
      await convertCheckpoint(original, path.join(folder, "q8"), { dtype: "q8" });
      const gpu = await sharedGpu();
      const { runs } = await readRuns("storage_f32");
      const tokens = [];
      for (const model of [
        await BarkModel.from_pretrained(path.join(folder, "q8"), { gpu }),
        await BarkModel.from_pretrained(original, { gpu, dtype: "q8" }),
      ]) {
        expect(model.dtype).to.equal("q8");
        const { semantic, coarse, fine } = await model.generate_output(generateKwargs(runs[0]));
        tokens.push({ semantic, coarse, fine: fine.tolist() });
        model.dispose();
      }
      expect(tokens[0]).to.deep.equal(tokens[1]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
