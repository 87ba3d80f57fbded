import { expect } from "chai";
import { bench } from "../../bench/cli.ts";
import { DecodeClock } from "../../bench/generate/decode_clock.ts";
import { measureRuns, type RunOptions } from "../../bench/generate/measure.ts";
import { describeRuns, reportLines, type GenerateReport } from "../../bench/generate/report.ts";
import { describeMachine } from "../../bench/measure/machine.ts";
import { plotGenerate } from "../../bench/report/generate_plot.ts";
import { resultsMarkdown } from "../../bench/report/markdown.ts";
import type { BarkSemanticConfig } from "../../bark/config/config.ts";
import { BarkModel } from "../../bark/model.ts";
import { EngineError } from "../../engine/errors.ts";
import type { Gpu } from "../../engine/gpu.ts";
import { sharedGpu } from "../support/gpu.ts";
import { openRepositoryStore } from "../support/runtime.ts";

const roofline = { gigabytesPerSecond: 10, gigaflops: 50, dispatchMicroseconds: 20 };

describe("bench generate", () => {
  let gpu: Gpu;
  let report: GenerateReport;
  let ofTwo: GenerateReport;
  let config: BarkSemanticConfig;
  before(async () => {
    gpu = await sharedGpu();
    const model = await BarkModel.from_pretrained(await openRepositoryStore("models/nano"), { gpu });
    config = model.config.semantic_config;
    const known = { machine: describeMachine(gpu), model: "nano", roofline, peakGpuBytes: 1, peakRss: 1 };
    const measure = async (rows: number, tokens: number, options: RunOptions): Promise<GenerateReport> => {
      const input_ids = Array.from({ length: rows }, () => Array.from({ length: 64 }, (_, i) => 10 + i));
      const kwargs = { input_ids, semantic_max_new_tokens: tokens, seed: 1 };
      const measured = await measureRuns(model, kwargs, options);
      return { ...describeRuns(model, measured, known), args: [], load: { cold: 2, warm: 1 } };
    };
    report = await measure(1, 5, { rounds: 2, readbacks: [2] });
    ofTwo = await measure(2, 3, { rounds: 1, readbacks: [1, 3] });
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
    expect(decode).include({ unit: "token", count: report.tokens.semantic, steps: 5, submits: 3 });
    expect(decode.dispatches).above(decode.count);
    expect(parts.get("coarse decode")!.count).equal(report.tokens.coarse);
    expect(parts.get("fine")!.unit).equal("pass");
    // A layer has 12 · hidden² weights, in f16.
    expect(decode.bytesPerStep).above(config.num_layers * 12 * config.hidden_size ** 2 * 2);
    expect(decode.shareOfBandwidth).closeTo(decode.gigabytesPerSecond! / roofline.gigabytesPerSecond, 1e-9);
  });

  it("counts the tokens of all rows of a batch, and weights once a step", () => {
    const decodeOf = ({ parts }: GenerateReport) => parts.find(({ name }) => name === "semantic decode")!;
    const [one, two] = [decodeOf(report), decodeOf(ofTwo)];
    expect(ofTwo).include({ batch: 2 });
    expect(two).include({ unit: "token", count: 6, steps: 3, submits: 3 });
    // Keys and values: two f32 vectors a layer, for 65 positions of the prefill and half the tokens.
    const positions = 2 * (65 + 3 / 2) - (65 + 5 / 2);
    const bytes = 2 * config.num_layers * config.hidden_size * 4 * positions;
    expect(two.bytesPerStep! - one.bytesPerStep!).closeTo(bytes, 1e-6);
    expect(two.shareOfBandwidth).closeTo(two.gigabytesPerSecond! / roofline.gigabytesPerSecond, 1e-9);
    expect(ofTwo.tokens.fine).equal((ofTwo.tokens.coarse / 2) * 8);
    expect(ofTwo.audioSeconds).at.most((2 * 3 * 3 * 320) / 24000 + 1e-9);
    expect(ofTwo.realTimeFactor).closeTo(ofTwo.warm.total.median / 1000 / ofTwo.audioSeconds, 1e-9);
  });

  it("lets numbers of steps between readbacks take turns", () => {
    expect(ofTwo.readbacks.map(({ tokensPerReadback }) => tokensPerReadback)).deep.equal([1, 3]);
    const [[semantic], [atOnce]] = ofTwo.readbacks.map(({ decode }) => decode);
    expect(semantic.step?.median).above(0);
    expect(semantic.stageMilliseconds.count).equal(1);
    // Its only readback comes with the prefill.
    expect(atOnce.step).equal(undefined);
    expect(ofTwo.memory).to.have.length(2);
  });

  it("times a decode from its first readback to the last before the next prefill", () => {
    const clock = new DecodeClock();
    const tell = (done: number): void =>
      clock.report({ stage: "coarse", done, total: 12, totalIsKnown: true, milliseconds: 0 });
    for (const done of [0, 4, 6, /* the next window */ 6, 10, 12]) tell(done);
    expect(clock.times.coarse.steps).equal(2 + 2);
    expect(clock.times.coarse.milliseconds).above(0);
    expect(clock.times.semantic).deep.equal({ steps: 0, milliseconds: 0, cpuMilliseconds: 0 });
  });

  it("prints and draws", () => {
    expect(reportLines(report).join("\n")).match(
      /semantic decode .* 5 tokens in 5 steps, .* tokens\/s; a step: .* dispatches/,
    );
    const lines = reportLines({ ...ofTwo, memory: Array.from({ length: 20 }, () => ({ gpuBytes: 0, rss: 1 << 20 })) });
    expect(lines.join("\n"))
      .match(/batch of 2 texts: 6 semantic/)
      .and.match(/real-time factor .* \(warm time by all rows' audio\)/)
      .and.match(/2 rows, 3 steps a readback/)
      .and.match(/after run 20/);
    const svg = plotGenerate(ofTwo);
    expect(svg)
      .match(/^<svg .*<\/svg>\n$/s)
      .and.include("coarse prefill")
      .and.include("batch of 2 texts");
    expect(svg).not.match(/NaN|undefined|Infinity/);
    const markdown = resultsMarkdown([report, ofTwo]);
    expect(markdown)
      .include("a batch of 2 texts, ")
      .and.include(`## Speaking, nano in f16, 2 texts at a time: ${gpu.adapterName}, Node ${process.versions.node}\n`);
    expect(markdown).not.match(/NaN|undefined|Infinity/);
  });

  for (const [flag, value] of [
    ["--batch", "0"],
    ["--batch", "1.5"],
    ["--batch", "two"],
    ["--readback", "0"],
    ["--readback", "4,,8"],
    ["--runs", "-1"],
  ])
    it(`refuses ${flag} ${value} before anything is loaded`, async () => {
      const error = await bench(["generate", `${flag}=${value}`]).catch((thrown: unknown) => thrown);
      expect(error).instanceOf(EngineError);
      expect(error).include({ code: "usage", where: flag, expected: "an integer ≥ 1" });
    });
});
