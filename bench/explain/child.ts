/**
 * The process whose driver explains itself: drivers print to the standard streams of the process and read their debug
 * variables once. Prints a line {@link marker} to both before each kernel of a version.
 */
import { writeSync } from "node:fs";
import { nodeGpuHost } from "../../engine/node/index.ts";
import { dawn, listDawnAdapters, enabling } from "../../engine/node/dawn.ts";
import { withSwiftShader } from "../../engine/node/software/software_adapter.ts";
import { EngineError } from "../../engine/errors.ts";
import { Gpu } from "../../engine/gpu.ts";
import type { AnyKernel } from "../../engine/kernel.ts";
import { Scope } from "../kernels/cases/case.ts";
import { loadOwn } from "../kernels/own/load_own.ts";
import { ownFiles } from "../kernels/own/own_files.ts";
import { fitOwn, misfitOf } from "../kernels/own/own_kernel.ts";
import { callsOf, dispatchAs, type Call } from "../kernels/own/recording.ts";
import { ended, explainedCases, marker, type ExplainJob } from "./job.ts";

process.on("disconnect", () => process.exit(1));
process.on("message", (told) => {
  if (told === ended) process.exit(0);
  void work(told as ExplainJob);
});

async function work(job: ExplainJob): Promise<void> {
  try {
    process.send!({ adapter: await explain(job) });
  } catch (error) {
    const known = error instanceof EngineError;
    process.send!({ code: known ? error.code : "internal", line: known ? error.toLine() : String(error) });
  }
}

/** Nothing is timed here, so caches do not matter. */
class OneCopy extends Scope {
  override async uncached<T extends object>(value: T): Promise<T[]> {
    return [value];
  }
}

/** @returns the adapter's name. */
async function explain(job: ExplainJob): Promise<string> {
  const gpu = await openDumping(job.device);
  const scope = new OneCopy(gpu, job.format);
  const firsts = new Map<AnyKernel, Call>();
  for (const call of await callsOfVersion(gpu, scope, job)) if (!firsts.has(call.kernel)) firsts.set(call.kernel, call);
  for (const [kernel, call] of firsts) {
    for (const stream of [1, 2]) writeSync(stream, `\n${marker}${kernel.name}\n`);
    const program = gpu.program("explain");
    dispatchAs(program, kernel, call);
    await program.run();
    // Some drivers compile at the first dispatch.
    await gpu.idle();
  }
  for (const stream of [1, 2]) writeSync(stream, `\n${marker}\n`);
  return gpu.adapterName;
}

/** What the version dispatches at its first shape. */
async function callsOfVersion(gpu: Gpu, scope: Scope, job: ExplainJob): Promise<Call[]> {
  const given = job.own === undefined ? [] : await loadOwn(await ownFiles(job.own));
  const own = given.find(({ version }) => version === job.version);
  const cases = explainedCases(job);
  if (own === undefined) {
    const prepared = await cases[0].prepare(scope);
    return callsOf(gpu, (program) => prepared.record(program, job.version, 0));
  }
  let why = "";
  for (const kernelCase of cases) {
    const prepared = await kernelCase.prepare(scope);
    const rung = fitOwn(gpu, kernelCase, prepared, own);
    if (rung === undefined) why = misfitOf(gpu, kernelCase, prepared, own);
    else return callsOf(gpu, (program) => rung.record(program, 0));
  }
  throw new EngineError("usage", why);
}

/** As `openGpu`, on a Dawn that prints the shaders that it makes. */
async function openDumping(device: string | undefined): Promise<Gpu> {
  const request = device === undefined ? {} : { device };
  const plain = await nodeGpuHost.openAdapter(request);
  if (nodeGpuHost.runtime === "deno") return await Gpu.fromAdapter(plain, "deno");
  const wanted = plain.adapter.info;
  const isSwiftShader = /swiftshader/i.test(`${wanted.device} ${wanted.description}`);
  const world = isSwiftShader ? "swiftshader" : "";
  const find = async (): Promise<Gpu> => {
    for (const { backend, name } of await listDawnAdapters(world)) {
      const owner = await dawn([enabling("dump_shaders"), `backend=${backend}`, `adapter=${name}`], `${world} dumping`);
      const adapter = await owner.requestAdapter();
      if (adapter?.info.device === wanted.device) return await Gpu.fromAdapter({ adapter, owner }, "node");
    }
    return await Gpu.fromAdapter(plain, "node");
  };
  return isSwiftShader ? await withSwiftShader(find) : await find();
}
