/** The process in which `bench:peers kernels` measures. */
import { setTimeout } from "node:timers/promises";
import "../../../engine/node/index.ts";
import { workOfChild } from "../../kernels/process/child_work.ts";
import { nodeLibraries } from "./node_libraries.ts";
import { startEngine } from "./start_engine.ts";

workOfChild(({ device }) => {
  const start = startEngine(nodeLibraries(device));
  return async (name) => {
    const engine = await start(name);
    await rest();
    return engine;
  };
});

/**
 * Waits until this process does nothing, at most a minute: V8 goes on compiling onnxruntime's WebAssembly on all cores for
 * seconds, which made our own rungs look three times as slow.
 */
async function rest(): Promise<void> {
  const [step, share] = [250, 0.05];
  for (let waited = 0; waited < 60_000; waited += step) {
    const before = process.cpuUsage();
    await setTimeout(step);
    const { user, system } = process.cpuUsage(before);
    if (user + system < share * step * 1000) return;
  }
}
