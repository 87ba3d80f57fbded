import { expect } from "chai";
import { EngineError } from "../../engine/errors.ts";
import type { Gpu } from "../../engine/gpu.ts";
import type { AnyKernel } from "../../engine/kernel.ts";
import { add } from "../../kernels/elementwise/elementwise.ts";
import { elementwise } from "../../kernels/elementwise/versions.ts";
import { allKernels } from "../../kernels/index.ts";
import { layernormThread } from "../../kernels/layernorm/versions.ts";
import type { CaseScope, Output, SelfTestCase } from "../../kernels/self_test/case.ts";
import { runCase, selfTest, type SelfTestResult } from "../../kernels/self_test/index.ts";
import { formatsOf } from "../support/compile.ts";
import { sharedGpu } from "../support/gpu.ts";

describe("self test", () => {
  let gpu: Gpu;
  let results: SelfTestResult[];
  let bytesLeft: number;
  before(async () => {
    gpu = await sharedGpu();
    const bytes = gpu.ledger.bytes;
    results = [];
    for await (const result of selfTest(gpu)) results.push(result);
    bytesLeft = gpu.ledger.bytes - bytes;
  });

  it("has a case for every kernel that the device supports, in every weight format", () => {
    const supported = allKernels.filter((kernel) => gpu.supports(kernel));
    const names = supported.flatMap((kernel) => {
      const formats = formatsOf(kernel);
      return formats.length === 1 ? [kernel.name] : formats.map((format) => `${kernel.name} ${format}`);
    });
    expect(results.map(({ kernel }) => kernel)).members(names);
  });

  it("finds every kernel right", () => {
    expect(results.filter(({ ok }) => !ok)).deep.equal([]);
  });

  it("has kernels that are within their tolerance by a factor of three, for adapters that round otherwise", () => {
    expect(results.filter(({ worst, tolerance }) => worst > tolerance / 3)).deep.equal([]);
  });

  it("frees what it made", () => {
    expect(bytesLeft).equal(0);
  });

  const tolerance = 0.25;
  const runRecord = (record: SelfTestCase["record"], kernel: AnyKernel = elementwise): Promise<SelfTestResult> =>
    runCase(gpu, { kernel, tolerance, record }, "f32");

  /** Records [2, x] + [3, 3]. */
  function addition(scope: CaseScope, expected: readonly number[], x = 2): readonly Output[] {
    const y = scope.f32(Float32Array.of(3, 3));
    add(scope.commands, scope.f32(Float32Array.of(2, x)), y);
    return [[y, expected]];
  }

  it("tells how far a result is off, and whether that is too far", async () => {
    const wrong = await runRecord((scope) => addition(scope, [5, 5.5]));
    expect(wrong).deep.equal({ kernel: "elementwise", ok: false, worst: 0.5, tolerance });
    const right = await runRecord((scope) => addition(scope, [4.75, 5]));
    expect(right).deep.equal({ kernel: "elementwise", ok: true, worst: 0.25, tolerance });
  });

  it("compares every output", async () => {
    const result = await runRecord((scope) => [...addition(scope, [5, 6]), ...addition(scope, [5, 5])]);
    expect(result).include({ ok: false, worst: 1 });
  });

  for (const [what, expected, x] of [
    ["a result that is not a number", [5, 5], NaN],
    ["fewer values than expected", [5, 5, 5], 2],
    ["more values than expected", [5], 2],
  ] as const)
    it(`does not accept ${what}`, async () => {
      expect(await runRecord((scope) => addition(scope, expected, x))).include({ ok: false, worst: Infinity });
    });

  it("does not accept a case that runs another kernel", async () => {
    const { kernel, ok, error } = await runRecord((scope) => addition(scope, [5, 5]), layernormThread);
    expect([kernel, ok, error]).deep.equal(["layernorm.thread", false, "its case runs another kernel"]);
  });

  it("reports what a case throws as one line, and frees what it had made", async () => {
    const bytes = gpu.ledger.bytes;
    const result = await runRecord((scope) => {
      addition(scope, [5, 5]);
      throw new EngineError("limit", "too large", { where: "y" });
    });
    expect(result).deep.equal({ kernel: "elementwise", ok: false, worst: Infinity, tolerance, error: "y: too large" });
    expect(gpu.ledger.bytes).equal(bytes);
  });
});
