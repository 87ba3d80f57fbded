import { parseCommandLine, requirePositionals } from "../../cli/command_line.ts";
import { EngineError } from "../../engine/errors.ts";
import { Gpu } from "../../engine/gpu.ts";
import type { BoundDispatch } from "../../engine/program/program.ts";
import { openNullAdapter } from "../../engine/node/index.ts";
import { describeMachine } from "../measure/machine.ts";
import { summarize } from "../measure/statistics.ts";
import { recordGpt } from "../measure/gpt_program.ts";
import { worksOf, type GptWork } from "../measure/work.ts";
import { encodeLines } from "../report/encode_lines.ts";
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
  const steps = (await program.steps()).filter((step) => step.kind === "dispatch");
  // In turns: a busy machine slows all of them.
  const samples = { submit: [] as number[], pipeline: [] as number[], bindGroup: [] as number[], all: [] as number[] };
  for (let i = -warmUps; i < repetitions; i++) {
    const start = performance.now();
    await gpu.submit(programs);
    const milliseconds = performance.now() - start;
    await gpu.idle();
    const bare = {
      pipeline: encodeBare(gpu, steps, (pass, { pipeline }) => pass.setPipeline(pipeline)),
      bindGroup: encodeBare(gpu, steps, (pass, { bindGroup }) => pass.setBindGroup(0, bindGroup)),
      all: encodeBare(gpu, steps, (pass, { pipeline, bindGroup, workgroups }) => {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindGroup);
        pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
      }),
    };
    if (i < 0) continue;
    samples.submit.push(milliseconds / stepsPerSubmit);
    for (const key of ["pipeline", "bindGroup", "all"] as const) samples[key].push(bare[key] / stepsPerSubmit);
  }
  const [pipeline, bindGroup, all] = (["pipeline", "bindGroup", "all"] as const).map(
    (key) => (1000 * summarize(samples[key]).median) / program.dispatches,
  );
  const report: EncodeReport = {
    command: "encode",
    args,
    machine: describeMachine(gpu),
    layers: work.layers,
    stepsPerSubmit,
    dispatches: program.dispatches,
    milliseconds: summarize(samples.submit),
    microsecondsOfCalls: { pipeline, bindGroup, dispatch: all - pipeline - bindGroup },
  };
  gpu.dispose();
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : `${encodeLines(report).join("\n")}\n`);
  return 0;
}

/** Milliseconds of what an engine cannot leave out: one call after another, recorded into one pass and thrown away. */
function encodeBare(
  { device }: Gpu,
  steps: readonly BoundDispatch[],
  record: (pass: GPUComputePassEncoder, step: BoundDispatch) => void,
): number {
  const start = performance.now();
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (let i = 0; i < stepsPerSubmit; i++) for (const step of steps) record(pass, step);
  pass.end();
  encoder.finish();
  return performance.now() - start;
}
