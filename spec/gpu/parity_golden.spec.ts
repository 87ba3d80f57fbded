import { expect } from "chai";
import { BarkModel } from "../../bark/model.ts";
import { NdArray } from "../../engine/ndarray.ts";
import { expectClose } from "../support/close.ts";
import { readFloats, readRuns, tolerance, type CodecOutput, type Fixture } from "../support/fixture.ts";
import { fixtureCheckpoint } from "../support/files/fixture_checkpoint.ts";
import { sharedGpu } from "../support/gpu.ts";
import { logitsAfter, type StoredLogits } from "../support/logits.ts";

const folder = "golden";
const { runs, logits, codec } = await readRuns<Fixture & { logits: StoredLogits[]; codec: CodecOutput[] }>(folder);

describe("parity of sub-models with the vocabularies of the published ones, and of their codec", () => {
  let model: BarkModel;

  before(async () => {
    model = await BarkModel.from_pretrained(await fixtureCheckpoint(folder), { gpu: await sharedGpu() });
  });
  after(() => model.dispose());

  for (const stored of logits)
    it(`${stored.stage} logits, ${stored.stage === "fine" ? "codebook" : "step"} ${stored.step}`, async () => {
      const actual = await logitsAfter(model, runs[0], stored);
      expectClose(actual, await readFloats(folder, stored), tolerance, "logits");
    });

  for (const { codes, audio } of codec)
    it(`codec alone, ${codes[0].length} frames`, async () => {
      const array = new NdArray(Int32Array.from(codes.flat()), [1, codes.length, codes[0].length]);
      const decoded = await model.codec_decode(array);
      expect(decoded.shape).to.deep.equal(audio.shape);
      expectClose(decoded.data, await readFloats(folder, audio), tolerance, "audio");
    });
});
