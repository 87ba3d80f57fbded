import { expect } from "chai";
import { BarkModel } from "../../bark/model.ts";
import { chooseAttentionDecode } from "../../kernels/choose.ts";
import { openGpu, type Gpu, type GpuOptions } from "../../engine/gpu.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { expectParity, readRuns } from "../support/fixture.ts";
import { fixtureCheckpoint } from "../support/files/fixture_checkpoint.ts";
import { openRepositoryStore } from "../support/runtime.ts";

/**
 * Greedy tokens and audio on this device are those of transformers. The checkpoint is small, since nano's windows take the
 * kernels of GPUs tens of seconds on a software adapter; its heads and widths suit every version.
 */
async function expectTokensOfTransformers(gpu: Gpu): Promise<void> {
  const { runs } = await readRuns("storage_f32");
  const model = await BarkModel.from_pretrained(await fixtureCheckpoint("storage_f32"), { gpu });
  for (const run of runs) await expectParity(model, "storage_f32", run);
  model.dispose();
}

async function withGpu(options: GpuOptions, run: (gpu: Gpu) => Promise<void>): Promise<void> {
  const gpu = await openGpu(options);
  try {
    await run(gpu);
  } finally {
    gpu.dispose();
  }
}

// In Node alone: kernels of GPUs take a software adapter long, and spec/gpu/kernels holds each of them in every runtime.
describe("forced versions", () => {
  for (const [gemv, attention_decode] of [
    ["gemv", "lanes"],
    ["gemv_split", "chunks"],
  ] as const)
    it(`speaks the tokens of transformers with ${gemv} and ${attention_decode}, and runs no other`, () =>
      withGpu({ kernels: "gpu", versions: { gemv, attention_decode, gemm: "gemm" } }, async (gpu) => {
        await expectTokensOfTransformers(gpu);
        const made = new Set(gpu.pipelines.keys.map((key) => key.split("|")[0]));
        expect([...made]).include.members([`matmul.${gemv}`, `attention_decode.${attention_decode}`]);
        for (const other of ["matmul.gemv_split", "matmul.gemv", "attention_decode.lanes", "attention_decode.chunks"])
          if (other !== `matmul.${gemv}` && other !== `attention_decode.${attention_decode}`)
            expect(made).not.include(other);
      }));

  it("are refused in one line when a model is loaded if the library has no such version or op", async () => {
    const load = async (versions: Record<string, string>): Promise<string> => {
      let line = "";
      await withGpu({ versions }, async (gpu) => {
        const store = await openRepositoryStore("models/nano");
        line = (await engineErrorOf(() => BarkModel.from_pretrained(store, { gpu }))).toLine();
      });
      return line;
    };
    expect(await load({ gemv: "fastest" })).match(/^versions\.gemv: .*gemv_split.*got fastest/);
    expect(await load({ conv: "tile" })).match(/^versions: .*gemv, gemm, attention_decode.*got conv/);
    // A version of the lab.
    expect(await load({ attention_decode: "split" })).match(/^versions\.attention_decode: .*chunks.*got split/);
  });

  it("do not give way in silence to heads that they cannot do", () =>
    withGpu({ versions: { attention_decode: "four_keys" } }, async (gpu) => {
      const choose = (headDim: number): string => chooseAttentionDecode(gpu, { heads: 2, headDim, capacity: 64 });
      expect(choose(64)).equal("four_keys");
      expect((await engineErrorOf(() => choose(6))).toLine()).match(/^attention_decode\.four_keys: .*got 6/);
    }));
});
