import { parseCommandLine, requirePositionals } from "../../cli/command_line.ts";
import { EngineError } from "../../engine/errors.ts";
import { Gpu } from "../../engine/gpu.ts";
import { openNullAdapter } from "../../engine/node/index.ts";
import { describeMachine } from "../measure/machine.ts";
import { summarize } from "../measure/statistics.ts";
import { recordGpt } from "../measure/gpt_program.ts";
import { worksOf, type GptWork } from "../measure/work.ts";
import type { EncodeReport } from "../report/reports.ts";

const stepsPerSubmit = 8;
const [warmUps, repetitions] = [50, 200];

/** `bark bench encode`: what the host does for one decode step, measured where no GPU works behind it. */
export async function benchEncode(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine("bench encode", args, {
    json: { type: "boolean" },
    resident: { type: "boolean" },
  });
  requirePositionals("bench encode", positionals, 0, 0);
  if (process.versions.deno !== undefined)
    throw new EngineError("usage", "Deno has no backend without a GPU", { where: "bench encode", fix: "use Node" });
  const gpu = await Gpu.fromAdapter(await openNullAdapter(), "node");
  // One dispatch costs the same whatever is in it, and twelve layers do not fit one binding of this adapter.
  const work = worksOf(values.resident ? 4 : 12)[0] as GptWork;
  const { program } = await recordGpt(gpu, work, values.resident);
  const programs = Array.from({ length: stepsPerSubmit }, () => program);
  const samples: number[] = [];
  for (let i = -warmUps; i < repetitions; i++) {
    const start = performance.now();
    await gpu.submit(programs);
    if (i >= 0) samples.push((performance.now() - start) / stepsPerSubmit);
    await gpu.idle();
  }
  const report: EncodeReport = {
    command: "encode",
    args,
    machine: describeMachine(gpu),
    layers: work.layers,
    stepsPerSubmit,
    dispatches: program.dispatches,
    milliseconds: summarize(samples),
  };
  gpu.dispose();
  const { median, lowerQuartile, upperQuartile } = report.milliseconds;
  process.stdout.write(
    values.json
      ? `${JSON.stringify(report)}\n`
      : `${report.dispatches} dispatches a step, ${stepsPerSubmit} steps a submit: ${median.toFixed(3)} ms a step ` +
          `(quartiles ${lowerQuartile.toFixed(3)} to ${upperQuartile.toFixed(3)})\n`,
  );
  return 0;
}
