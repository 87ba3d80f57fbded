import { expect } from "chai";
import { BarkModel } from "../../bark/model.ts";
import { openGpu, type Gpu, type GpuOptions } from "../../engine/gpu.ts";
import { tune } from "../../kernels/tune.ts";
import { engineErrorOf } from "../support/rejection.ts";
import { expectParity, readRuns } from "../support/fixture.ts";
import { fixtureCheckpoint } from "../support/fixture_checkpoint.ts";
import { openRepositoryStore } from "../support/runtime.ts";

/**
 * Greedy tokens and audio on this device are those of transformers. The checkpoint is small, since nano's
 * windows take the kernels of GPUs tens of seconds on a software adapter; its heads and widths suit every version.
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

describe("start-up tune", () => {
  it("decides once, frees what it made, and speaks the same greedy tokens", async () => {
    // Many rows of true width take a software adapter minutes.
    await withGpu({ kernels: "gpu", versions: { gemm: "gemm" } }, async (gpu) => {
      const before = gpu.ledger.bytes;
      await tune(gpu, "f32", 120_000);
      expect(gpu.ledger.bytes).equal(before);
      const decided = Object.fromEntries(gpu.versions);
      expect(Object.keys(decided)).deep.equal(["gemm", "gemv", "attention_decode"]);
      expect(decided).include({ gemm: "gemm" });
      await expectTokensOfTransformers(gpu);
      expect(Object.fromEntries(gpu.versions)).deep.equal(decided);
    });
  });

  it("speaks the same tokens with each version of a decode step that a GPU may get", async () => {
    for (const [gemv, attention_decode] of [
      ["gemv", "split"],
      ["gemv_split", "chunks"],
      ["gemv_split", "chunks_subgroups"],
    ])
      await withGpu({ kernels: "gpu", versions: { gemv, attention_decode, gemm: "gemm" } }, async (gpu) => {
        // One of the twins is enough: software adapters compile these kernels for seconds.
        const twin = gpu.features.has("subgroups") ? "chunks" : "chunks_subgroups";
        if (attention_decode === twin) return;
        await expectTokensOfTransformers(gpu);
        const made = new Set(gpu.pipelines.keys.map((key) => key.split("|")[0]));
        expect([...made]).include.members([`matmul.${gemv}`, `attention.decode_${attention_decode}`]);
        for (const other of ["matmul.gemv_split", "matmul.gemv", "attention.decode_split", "attention.decode_chunks"])
          if (other !== `matmul.${gemv}` && other !== `attention.decode_${attention_decode}`)
            expect(made).not.include(other);
      });
  });

  it("leaves software adapters, and those told to be static, as they are", async () => {
    for (const options of [{ kernels: "software" }, { kernels: "gpu", versions: "static" }] as const)
      await withGpu(options, async (gpu) => {
        await tune(gpu, "f32", 60_000);
        expect(gpu.versions.size).equal(0);
        expect(gpu.pipelines.keys).deep.equal([]);
      });
  });

  it("never fails, not even on a device that is gone", async () => {
    await withGpu({ kernels: "gpu" }, async (gpu) => {
      gpu.device.destroy();
      await gpu.device.lost;
      await tune(gpu, "f32");
      expect(gpu.versions.size).equal(0);
    });
  });

  it("refuses a version or an op that there is not when a model is loaded", async () => {
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
  });
});
