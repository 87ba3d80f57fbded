import { expect } from "chai";
import { BarkModel } from "../../bark/model.ts";
import { expectParity, generateKwargs, readRuns, type Fixture } from "../support/fixture.ts";
import { fixtureCheckpoint, type StoredDtype } from "../support/files/fixture_checkpoint.ts";
import { sharedGpu } from "../support/gpu.ts";

type StorageFixture = Fixture & { dtype: StoredDtype };

describe("parity of checkpoints stored in other ways", () => {
  const kinds: { folder: string; shards?: number; runsIn: string }[] = [
    { folder: "storage_f32", runsIn: "f32" },
    { folder: "storage_f32", shards: 3, runsIn: "f32" },
    { folder: "storage_f16", runsIn: "f16" },
    { folder: "storage_bf16", runsIn: "f32" },
    { folder: "storage_folded", runsIn: "f32" },
    { folder: "storage_parametrized", runsIn: "f32" },
    { folder: "tied", runsIn: "f32" },
  ];
  for (const { folder, shards = 1, runsIn } of kinds)
    it(`${folder}${shards > 1 ? ` in ${shards} shards` : ""}, run in ${runsIn}`, async () => {
      const { runs, dtype } = await readRuns<StorageFixture>(folder);
      const store = await fixtureCheckpoint(folder, { dtype, shards });
      const model = await BarkModel.from_pretrained(store, { gpu: await sharedGpu() });
      try {
        expect(model.dtype).to.equal(runsIn);
        for (const run of runs) await expectParity(model, folder, run);
      } finally {
        model.dispose();
      }
    });
});

describe("a model with a device of its own", () => {
  it("frees what a run took after it, and everything when disposed", async () => {
    const { runs } = await readRuns("storage_f32");
    const model = await BarkModel.from_pretrained(await fixtureCheckpoint("storage_f32"));
    const { ledger } = model.gpu;
    const weights = ledger.bytes;
    await model.generate_output(generateKwargs(runs[0]));
    expect(ledger.bytes).to.equal(weights).and.above(0);
    model.dispose();
    expect([...ledger.byLabel()]).to.deep.equal([]);
    expect(ledger.bytes).to.equal(0);
  });
});
