import { expect } from "chai";
import { readdirSync } from "node:fs";
import { convCase, lstmCase, upsampleCase } from "../../bench/kernels/cases/codec.ts";
import type { KernelCase } from "../../bench/kernels/cases/case.ts";
import { matmulCase } from "../../bench/kernels/cases/matmul.ts";
import { runCase, type KernelResult } from "../../bench/kernels/run.ts";
import { allOps, leftOut, selectCases } from "../../bench/kernels/run_all.ts";
import { smokeEffort } from "../../bench/measure/stopwatch.ts";
import { measureRoofline, type Roofline } from "../../bench/roofline/roofline.ts";
import type { KernelNeeds } from "../../engine/device/device.ts";
import type { Gpu } from "../../engine/gpu.ts";
import { matmulLab } from "../../kernels/matmul/lab/versions.ts";
import { matmulVersions, type OwnMatmulVersion } from "../../kernels/matmul/versions.ts";
import { sharedGpu } from "../support/gpu.ts";

const small = matmulCase({ name: "small", inner: 64, columns: 72, options: { gelu: true } }, 3);

describe("bench kernels", () => {
  let gpu: Gpu;
  let roofline: Roofline;
  before(async () => {
    gpu = await sharedGpu();
    roofline = await measureRoofline(gpu, smokeEffort, 1 << 20);
  });

  async function run(kernelCase: KernelCase, format: "f32" | "f16" | "q8" = "f32"): Promise<KernelResult[]> {
    const results: KernelResult[] = [];
    for await (const result of runCase(gpu, kernelCase, { format, roofline, effort: smokeEffort }))
      results.push(result);
    return results;
  }

  it("measures a roofline", () => {
    expect(roofline.gigabytesPerSecond).above(0);
    expect(roofline.gigaflops).above(0);
    expect(roofline.dispatchMicroseconds).above(0);
    expect(JSON.stringify(roofline)).not.include("null");
  });

  for (const format of ["f32", "f16", "q8"] as const)
    it(`checks and times every version of an op, weights ${format}`, async () => {
      const lab = Object.fromEntries<OwnMatmulVersion>(
        Object.entries(matmulLab).map(([name, version]) => [`${name} (lab)`, version]),
      );
      const supported = Object.entries<OwnMatmulVersion>({ ...matmulVersions, ...lab }).flatMap(
        ([
          name,
          {
            kernels: [kernel],
          },
        ]) => (gpu.supports(kernel) ? [name] : []),
      );
      const results = await run(small, format);
      expect(results.map(({ version }) => version)).deep.equal(supported);
      expect(results.filter(({ chosen }) => chosen)).to.have.length(1);
      for (const {
        op,
        shape,
        version,
        correct,
        error,
        timing,
        gigaflops,
        gigabytesPerSecond,
        share,
        bound,
      } of results) {
        expect([op, shape]).deep.equal(["matmul", "small 64→72, 3 rows"]);
        expect(correct).equal(true);
        // f16 arithmetic is that far off, and no further than it states.
        const { error: stated = 1e-5 } = lab[version] ?? {};
        expect(error).within(stated === 1e-3 ? 1e-6 : 0, stated);
        expect(timing?.clock).oneOf(["timestamp", "wall"]);
        expect(timing?.milliseconds).to.have.keys(["median", "lowerQuartile", "upperQuartile", "min", "count"]);
        for (const value of [gigaflops, gigabytesPerSecond, share]) expect(value).above(0);
        expect(bound).oneOf(["loads", "arithmetic", "dispatch"]);
      }
    });

  it("leaves out the versions that cannot do a shape", async () => {
    const versions = (await run(matmulCase({ name: "odd", inner: 37, columns: 8 }, 3))).map(({ version }) => version);
    expect(versions).include("plain").and.not.include("gemm");
  });

  it("finds a kernel that computes something else, and does not time it", async () => {
    const other = matmulCase({ name: "small", inner: 64, columns: 72 }, 3);
    const wrong: KernelCase = {
      ...small,
      prepare: async (scope) => ({ ...(await small.prepare(scope)), ...pick(await other.prepare(scope)) }),
    };
    for (const { correct, timing } of await run(wrong)) expect([correct, timing]).deep.equal([false, undefined]);
  });

  it("finds a kernel that leaves what an earlier version wrote", async () => {
    let runs = 0;
    const lazy: KernelCase = {
      ...small,
      versions: ["gemm", "gemv"],
      prepare: async (scope) => {
        const prepared = await small.prepare(scope);
        const elsewhere = await small.prepare(scope);
        const record: typeof prepared.record = (program, version, copy) =>
          (version === "gemm" ? prepared : elsewhere).record(program, version, copy);
        return { ...prepared, record, reset: () => (runs++, prepared.reset()) };
      },
    };
    expect((await run(lazy)).map(({ correct }) => correct)).deep.equal([true, false]);
    expect(runs).equal(2);
  });

  it("holds the codec's kernels against their references", async () => {
    const cases = [
      convCase({ inChannels: 6, outChannels: 5, kernelSize: 7 }, 20),
      upsampleCase(6, 2, 20),
      lstmCase(5, 24),
    ];
    for (const kernelCase of cases)
      for (const { version, correct } of await run(kernelCase))
        expect([kernelCase.op, version, correct]).deep.equal([kernelCase.op, version, true]);
  });

  it("leaves nothing on the GPU", async () => {
    const bytes = gpu.ledger.bytes;
    await run(small);
    expect(gpu.ledger.bytes).equal(bytes);
  });

  it("names the kernels that a device cannot run, of the ops that are asked for", () => {
    const bare = { supports: ({ features = [] }: KernelNeeds) => features.length === 0 };
    expect(leftOut(bare, ["matmul"]))
      .include("matmul.gemm_half: left out; it needs a device with shader-f16")
      .and.satisfy((lines: string[]) => lines.every((line) => line.startsWith("matmul.")));
    expect(leftOut(bare, [])).include("attention.wide: left out; it needs a device with subgroups of at least 8 lanes");
    expect(leftOut({ supports: () => true }, [])).deep.equal([]);
  });

  it("has every op at Bark's shapes, and selects by op and shape", () => {
    const folders = readdirSync(new URL("../../kernels", import.meta.url), { withFileTypes: true });
    const ops = folders.filter((entry) => entry.isDirectory() && entry.name !== "self_test").map(({ name }) => name);
    expect([...allOps].sort()).deep.equal(ops.sort());
    const chosen = selectCases({ ops: ["matmul"], shape: "256 rows", format: "f32" });
    expect(chosen.map(({ shape }) => shape)).deep.equal([
      "qkv 768→2304, 256 rows",
      "out 768→768, 256 rows",
      "mlp in 768→3072, 256 rows",
      "mlp out 3072→768, 256 rows",
    ]);
  });
});

/** What a case runs, without how it is checked. */
function pick<T extends { record: unknown; copies: unknown }>({ record, copies }: T): Pick<T, "record" | "copies"> {
  return { record, copies };
}
