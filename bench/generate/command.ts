import { choiceFlag, numberFlag, parseCommandLine, requirePositionals } from "../../cli/command_line.ts";
import { defaultModel } from "../../cli/files/model_location.ts";
import { BarkModel } from "../../bark/model.ts";
import { BarkProcessor } from "../../bark/text/processor.ts";
import { openCheckpoint } from "../../bark/load/open_checkpoint.ts";
import { EngineError } from "../../engine/errors.ts";
import { openGpu } from "../../engine/gpu.ts";
import { syntheticBark, syntheticSizes, type Subject, type SyntheticSize } from "../../tools/synthetic.ts";
import { describeMachine } from "../measure/machine.ts";
import { usualEffort } from "../measure/stopwatch.ts";
import { plotGenerate } from "../report/generate_plot.ts";
import { requirePlot, writePlot } from "../report/write.ts";
import { measureRoofline } from "../roofline/roofline.ts";
import { measureRuns } from "./measure.ts";
import { describeRuns, reportLines, type GenerateReport } from "./report.ts";

const text = "Hello, my dog is cute, and I like to speak.";

/** `bark bench generate`. */
export async function benchGenerate(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine("bench generate", args, {
    model: { type: "string", short: "m" },
    synthetic: { type: "string" },
    voice: { type: "string", short: "v" },
    dtype: { type: "string" },
    device: { type: "string" },
    "max-semantic-tokens": { type: "string" },
    batch: { type: "string" },
    readback: { type: "string" },
    runs: { type: "string" },
    json: { type: "boolean" },
    plot: { type: "string" },
  });
  requirePositionals("bench generate", positionals, 0, 0);
  const plot = await requirePlot(values.plot);
  const dtype = choiceFlag("dtype", values.dtype, ["f32", "f16"]);
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 1;
  const count = (flag: string, text: string | undefined): number | undefined =>
    numberFlag(flag, text, isCount, "an integer ≥ 1");
  // Runs that are asked for are all done; by default nobody is to wait long.
  const rounds = count("runs", values.runs);
  const patience = rounds === undefined ? 120_000 : Infinity;
  const batch = count("batch", values.batch) ?? 1;
  const readbacks = values.readback?.split(",").map((text) => count("readback", text)!);
  const limit = count("max-semantic-tokens", values["max-semantic-tokens"]);
  const subject = await subjectOf(values.model, values.synthetic);
  const processor = await BarkProcessor.from_pretrained(subject.files);
  const history_prompt = values.voice === undefined ? null : await processor.loadVoice(values.voice);

  const gpu = await openGpu(values.device === undefined ? {} : { device: values.device });
  try {
    const roofline = await measureRoofline(gpu, usualEffort);
    gpu.ledger.resetPeak();
    const load = async (): Promise<{ model: BarkModel; milliseconds: number }> => {
      const start = performance.now();
      const model = await subject.load({ gpu, ...(dtype === undefined ? {} : { dtype }) });
      await gpu.idle();
      return { model, milliseconds: performance.now() - start };
    };
    const { model, milliseconds: cold } = await load();
    const max_length = model.generation_config.semantic_config.max_input_semantic_length;
    const inputs = await processor(
      Array.from({ length: batch }, () => text),
      { max_length },
    );
    // Without an end of speech every run has the same length, whatever the weights.
    const length = limit === undefined ? {} : { semantic_max_new_tokens: limit };
    const note = (line: string): void => void process.stderr.write(`bench: ${line}\n`);
    note(`loaded in ${(cold / 1000).toFixed(1)} s`);
    const kwargs = { ...inputs, ...length, history_prompt, seed: 1 };
    const options = { rounds: rounds ?? 3, patience, ...(readbacks === undefined ? {} : { readbacks }), onNote: note };
    const measured = await measureRuns(model, kwargs, options);
    const peakGpuBytes = gpu.ledger.peakBytes;
    const described = describeRuns(model, measured, {
      machine: describeMachine(gpu),
      model: subject.name,
      roofline,
      peakGpuBytes,
      peakRss: process.resourceUsage().maxRSS * 1024,
    });
    model.dispose();
    const again = await load();
    again.model.dispose();
    const report: GenerateReport = { ...described, args, load: { cold, warm: again.milliseconds } };
    await writePlot(plot, () => plotGenerate(report));
    process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : `${reportLines(report).join("\n")}\n`);
    return 0;
  } finally {
    gpu.dispose();
  }
}

async function subjectOf(model: string | undefined, synthetic: string | undefined): Promise<Subject> {
  if (model !== undefined && synthetic !== undefined)
    throw new EngineError("usage", "a model and a synthetic one are given", { fix: "leave out one of them" });
  const size = choiceFlag("synthetic", synthetic, Object.keys(syntheticSizes) as SyntheticSize[]);
  if (size !== undefined) return syntheticBark(size);
  const files = await openCheckpoint(model ?? defaultModel);
  return { name: files.name, files, load: (options) => BarkModel.from_pretrained(files, options) };
}
