import { openGpu, type Gpu } from "../engine/gpu.ts";
import { adapterAdvice, thisMachine } from "../engine/node/machine.ts";
import { listAdapters } from "../engine/node/host.ts";
import type { AdapterDescription } from "../engine/node/adapters.ts";
import { selfTest } from "../kernels/self_test/index.ts";
import { parseCommandLine, requirePositionals } from "./command_line.ts";
import { print } from "./process/print.ts";

const shownLimits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupStorageSize",
];

/** `bark doctor`: adapters, and every kernel against its reference on the one that `bark say` would take. */
export async function doctor(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine("doctor", args, { device: { type: "string" } });
  requirePositionals("doctor", positionals, 0, 0);
  print(`${runtimeName()} on ${process.platform} ${process.arch}`);
  const adapters = await listAdapters();
  print("");
  print(`adapters: ${adapters.length}`);
  for (const adapter of adapters) describeAdapter(adapter);
  const gpu = await openGpu(values.device === undefined ? {} : { device: values.device });
  print("");
  print(`\`bark say\` takes ${gpu.adapterName}${gpu.isSoftware ? " (software)" : ""}`);
  const failed = await testKernels(gpu);
  gpu.dispose();
  if (gpu.isSoftware) {
    print("");
    print("No GPU was found, so a processor stands in for one. Faster:");
    const advice = adapterAdvice(thisMachine());
    const isLavapipe = /llvmpipe/i.test(gpu.adapterName);
    for (const line of advice) if (!(isLavapipe && line.includes("lavapipe"))) print(`  ${line}`);
  }
  return failed === 0 ? 0 : 1;
}

function runtimeName(): string {
  const { deno } = process.versions;
  return deno === undefined ? `Node ${process.versions.node}` : `Deno ${deno}`;
}

function describeAdapter({ name, backend, software, limits, features }: AdapterDescription): void {
  print(`  ${name} (${backend}), ${software ? "software" : "GPU"}`);
  for (const limit of shownLimits) print(`    ${limit}: ${limits[limit] ?? "not told"}`);
  print(`    features: ${features.join(", ")}`);
}

/** Number of kernels that do not agree with their reference. */
async function testKernels(gpu: Gpu): Promise<number> {
  print("");
  print("kernels against their references in f64 (largest difference, tolerance):");
  let [tested, failed] = [0, 0];
  for await (const { kernel, ok, worst, tolerance, error } of selfTest(gpu)) {
    tested++;
    if (!ok) failed++;
    print(`  ${ok ? "ok    " : "FAILED"} ${kernel.padEnd(28)} ${error ?? `${worst.toExponential(1)}, ${tolerance}`}`);
  }
  print(failed === 0 ? `  all ${tested} agree` : `  ${failed} of ${tested} do NOT agree: audio would be wrong here`);
  return failed;
}
