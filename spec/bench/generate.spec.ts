import { expect } from "chai";
import { measureRuns } from "../../bench/generate/measure.ts";
import { describeRuns, reportLines, type GenerateReport } from "../../bench/generate/report.ts";
import { describeMachine } from "../../bench/measure/machine.ts";
import { plotGenerate } from "../../bench/plot/generate.ts";
import { BarkModel } from "../../bark/model.ts";
import type { Gpu } from "../../engine/gpu.ts";
import { sharedGpu } from "../support/gpu.ts";
import { openRepositoryStore } from "../support/runtime.ts";

const roofline = { gigabytesPerSecond: 10, gigaflops: 50, dispatchMicroseconds: 20 };

describe("bench generate", () => {
  let gpu: Gpu;
  let report: GenerateReport;
  before(async () => {
    gpu = await sharedGpu();
    const model = await BarkModel.from_pretrained(await openRepositoryStore("models/nano"), { gpu });
    const input_ids = [Array.from({ length: 64 }, (_, i) => 10 + i)];
    const measured = await measureRuns(model, { input_ids, semantic_max_new_tokens: 5, seed: 1 }, 2);
    const known = { machine: describeMachine(gpu), model: "nano", roofline, peakGpuBytes: 1, peakRss: 1 };
    report = { ...describeRuns(model, measured, known), args: [], load: { cold: 2, warm: 1 } };
    model.dispose();
  });

  it("gives the device its own submit back", () => {
    expect(Object.hasOwn(gpu, "submit")).equal(false);
  });

  it("times the stages of cold and warm runs", () => {
    for (const stage of ["semantic", "coarse", "fine", "codec", "total"] as const) {
      expect(report.cold[stage], stage).above(0);
      expect(report.warm[stage].count, stage).equal(2);
      expect(report.warm[stage].median, stage).above(0);
    }
    expect(report.realTimeFactor).above(0);
    expect(JSON.stringify(report)).not.include("null");
  });

  it("tells prefill from decode and counts what a token costs", () => {
    const parts = new Map(report.parts.map((part) => [part.name, part]));
    expect([...parts.keys()]).deep.equal([
      "semantic prefill",
      "semantic decode",
      "coarse prefill",
      "coarse decode",
      "fine",
      "codec",
    ]);
    expect(parts.get("semantic prefill")).include({ unit: "prefill", count: 1 });
    const decode = parts.get("semantic decode")!;
    expect(decode).include({ unit: "token", count: report.tokens.semantic });
    expect(decode.dispatches).above(decode.count);
    expect(parts.get("coarse decode")!.count).equal(report.tokens.coarse);
    expect(parts.get("fine")!.unit).equal("pass");
    // nano: 6 layers of 12 · 192² weights, in f16.
    expect(decode.bytesPerToken).above(6 * 12 * 192 * 192 * 2);
    expect(decode.shareOfBandwidth).closeTo(decode.gigabytesPerSecond! / roofline.gigabytesPerSecond, 1e-9);
  });

  it("is told and drawn", () => {
    expect(reportLines(report).join("\n")).match(/semantic decode .* tokens\/s; a token: .* dispatches/);
    const svg = plotGenerate(report);
    expect(svg)
      .match(/^<svg .*<\/svg>\n$/s)
      .and.include("coarse prefill");
    expect(svg).not.match(/NaN|undefined|Infinity/);
  });
});
