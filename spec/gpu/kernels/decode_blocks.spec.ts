import { expect } from "chai";
import type { Gpu } from "../../../engine/gpu.ts";
import { Scope } from "../../../engine/scope.ts";
import { chooseDecodeBlocks } from "../../../kernels/choose.ts";
import { requireMet } from "../../../kernels/decode_blocks/decode_blocks.ts";
import { recordSmallBlocks, residentGroups } from "../../../kernels/decode_blocks/resident.ts";
import { expectClose } from "../../support/close.ts";
import { sharedGpu } from "../../support/gpu.ts";
import { engineErrorOf } from "../../support/rejection.ts";

describe("decode_blocks.resident", () => {
  let gpu: Gpu;
  before(async () => {
    gpu = await sharedGpu();
  });

  for (const format of ["f32", "f16", "q8"] as const)
    it(`agrees with blocks in f64, ${format}, with as many workgroups as the adapter runs at once`, async () => {
      const groups = await residentGroups(gpu);
      expect(groups).greaterThan(0);
      await Scope.during(gpu, async (scope) => {
        const program = scope.program("blocks");
        const { outputs } = recordSmallBlocks(scope, program, format, { groups });
        await program.run();
        for (const [x, expected] of outputs) expectClose(await x.read(), expected, { absolute: 1e-4, relative: 1e-5 });
      });
    });

  it("ends and says so where more workgroups must meet than run at once", async () => {
    await Scope.during(gpu, async (scope) => {
      const program = scope.program("blocks");
      // More than any adapter of this project keeps resident, of 64 lanes or more.
      const { sync } = recordSmallBlocks(scope, program, "f32", { groups: gpu.isSoftware ? 256 : 65535, spins: 1000 });
      await program.run();
      const error = await engineErrorOf(() => requireMet({ sync, work: sync as never }));
      expect(error.toLine()).match(/workgroups did not meet.*leave out decode_blocks=resident/);
    });
  });

  it("is not chosen unless it is forced", () => {
    expect(chooseDecodeBlocks(gpu)).equal(undefined);
  });
});
