import { expect } from "chai";
import type { FineForwardKwargs } from "../../bark/gpt/forward/fine_forward.ts";
import { BarkModel } from "../../bark/model.ts";
import type { BarkProgress } from "../../bark/generate/output.ts";
import { BarkCoarseModel, BarkFineModel, BarkSemanticModel } from "../../bark/sub_models.ts";
import type { FileStore } from "../../checkpoint/stores/file_store.ts";
import { MemoryStore } from "../../checkpoint/stores/memory.ts";
import { worstDifference } from "../support/close.ts";
import { fixtureCheckpoint, weightFiles, type FixtureTensor } from "../support/files/fixture_checkpoint.ts";
import { expectAnswer, kwargsOf, type ForwardCase } from "../support/forward.ts";
import { sharedGpu } from "../support/gpu.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { readFixture, readFixtureJson } from "../support/runtime.ts";

const cases = await readFixtureJson<Record<string, ForwardCase[]>>("forward/cases.json");

/** What transformers' `save_pretrained` of one part of a Bark writes: no prefix, its own config. */
async function checkpointOf(part: string): Promise<FileStore> {
  const tensors = (await readFixtureJson<FixtureTensor[]>("forward/tensors.json"))
    .filter(({ name }) => name.startsWith(`${part}.`))
    .map(({ name, shape }) => ({ name: name.slice(part.length + 1), shape, formula: name }));
  const config = await readFixtureJson<Record<string, object>>("forward/config.json");
  const text = JSON.stringify({ model_type: part, ...config[`${part}_config`] });
  return new MemoryStore(weightFiles(tensors).set("config.json", new TextEncoder().encode(text)), part);
}

describe("sub-models loaded alone", () => {
  const sources = {
    "a checkpoint of a whole Bark": () => fixtureCheckpoint("forward"),
    "a checkpoint of their own": checkpointOf,
  };

  for (const [name, open] of Object.entries(sources)) {
    it(`semantic model of ${name}`, async () => {
      const model = await BarkSemanticModel.from_pretrained(await open("semantic"), { gpu: await sharedGpu() });
      const [stored] = cases["semantic"];
      await expectAnswer(await model.forward(kwargsOf(stored)), stored);
      model.dispose();
    });

    it(`coarse model of ${name}`, async () => {
      const source = await open("coarse_acoustics");
      const model = await BarkCoarseModel.from_pretrained(source, { gpu: await sharedGpu() });
      const [stored] = cases["coarse_acoustics"];
      await expectAnswer(await model.forward(kwargsOf(stored)), stored);
      model.dispose();
    });

    it(`fine model of ${name}`, async () => {
      const model = await BarkFineModel.from_pretrained(await open("fine_acoustics"), { gpu: await sharedGpu() });
      const [stored] = cases["fine_acoustics"];
      await expectAnswer(await model.forward(kwargsOf(stored) as unknown as FineForwardKwargs), stored);
      model.dispose();
    });
  }

  it("run in a Bark that cannot generate, for want of a generation config that fits it", async () => {
    const files = weightFiles(await readFixtureJson<FixtureTensor[]>("forward/tensors.json"));
    files.set("config.json", await readFixture("forward/config.json"));
    const model = await BarkModel.from_pretrained(new MemoryStore(files, "forward"), { gpu: await sharedGpu() });
    const [stored] = cases["coarse_acoustics"];
    await expectAnswer(await model.coarse_acoustics.forward(kwargsOf(stored)), stored);
    const error = await engineErrorOf(() => model.generate({ input_ids: [[1, 2, 3]] }));
    model.dispose();
    expect(error.code).to.equal("bad-input");
    expect(error.toLine()).to.match(/^generation_config.json.* does not fit config\.json/);
  });

  it("round in q8 their attention and MLP, in f16 tables and heads too, and no norms", async () => {
    const options = { gpu: await sharedGpu() };
    const { kwargs } = cases["semantic"][0];
    const answers = new Map<string, ArrayLike<number>>();
    for (const dtype of ["f32", "f16", "q8"] as const) {
      const model = await BarkSemanticModel.from_pretrained(await fixtureCheckpoint("forward"), { ...options, dtype });
      // How matrices lie on the GPU is up to the adapter: what they are rounded to shows in the answers.
      await model.weights.use(async ({ tables: { table, positions } }) => {
        expect([table.dtype, positions.dtype]).to.deep.equal(dtype === "f32" ? ["f32", "f32"] : ["f16", "f16"]);
      });
      answers.set(dtype, (await model.forward(kwargs)).logits.data);
      model.dispose();
    }
    const [half, eighth] = ["f16", "q8"].map((dtype) => worstDifference(answers.get(dtype)!, answers.get("f32")!));
    expect(half).to.be.within(1e-6, 1e-2);
    expect(eighth).to.be.within(2 * half, 0.3);
  });

  it("know no other formats of weights", async () => {
    const options = { gpu: await sharedGpu(), dtype: "int4" as "q8" };
    const source = await fixtureCheckpoint("forward");
    const error = await engineErrorOf(() => BarkSemanticModel.from_pretrained(source, options));
    expect(error.toLine()).to.match(/^dtype: wrong value \(expected f32, .*, got "int4"\)/);
  });

  it("count as progress what they load", async () => {
    const gpu = await sharedGpu();
    const seen: BarkProgress[] = [];
    const on_progress = (progress: BarkProgress): void => void seen.push(progress);
    const model = await BarkCoarseModel.from_pretrained(await fixtureCheckpoint("forward"), { gpu, on_progress });
    model.dispose();
    expect(seen.at(-1)).to.include({ stage: "load", done: seen.at(-1)!.total });
    expect(new Set(seen.map(({ total }) => total)).size).to.equal(1);
  });

  it("close the device that they opened, and not one that they were given", async () => {
    const alone = await BarkCoarseModel.from_pretrained(await checkpointOf("coarse_acoustics"));
    const lost = alone.gpu.device.lost;
    alone.dispose();
    expect((await lost).reason).to.equal("destroyed");
    expect([...alone.gpu.ledger.byLabel()]).to.deep.equal([]);

    const gpu = await sharedGpu();
    const guest = await BarkCoarseModel.from_pretrained(await checkpointOf("coarse_acoustics"), { gpu });
    guest.dispose();
    await gpu.idle();
    expect(gpu.placeholder.disposed).to.equal(false);
  });

  it("name a tensor that is missing", async () => {
    const gpu = await sharedGpu();
    const error = await engineErrorOf(async () =>
      BarkFineModel.from_pretrained(await checkpointOf("semantic"), { gpu }),
    );
    expect(error.code).to.equal("bad-input");
    expect(error.toLine()).to.include("input_embeds_layers.0.weight");
  });
});
