/** The page in which `bench:peers kernels --in-chromium` measures. */
import "../../../checkpoint/web/index.ts";
import "../../../engine/web/index.ts";
import type { Job, Told } from "../../kernels/process/messages.ts";
import { work as measure } from "../../kernels/process/work.ts";
import type { Jax } from "../engines/jaxjs.ts";
import type { Tf } from "../engines/tfjs.ts";
import type { Libraries, Ort } from "./libraries.ts";
import { startEngine } from "./start_engine.ts";

const installed = new URL("../node_modules/", import.meta.url).href;
// Engines are given another `navigator`.
const { gpu } = navigator;

async function load<T>(file: string): Promise<T> {
  return (await import(installed + file)) as T;
}

const libraries: Libraries = {
  openAdapter: async () => (await gpu.requestAdapter({ powerPreference: "high-performance" }))!,
  ort: async () => {
    const ort = await load<Ort>("onnxruntime-web/dist/ort.webgpu.bundle.min.mjs");
    Object.assign(ort.env.wasm, { wasmPaths: `${installed}onnxruntime-web/dist/`, numThreads: 1 });
    return ort;
  },
  jax: async () => await load<Jax>("@jax-js/jax/dist/index.js"),
  tf: async () => {
    // Scripts, whose modules would need a bundler: they make one global.
    for (const part of ["core", "backend-cpu", "backend-webgpu"])
      await load(`@tensorflow/tfjs-${part}/dist/tf-${part}.min.js`);
    return (globalThis as unknown as { tf: Tf }).tf;
  },
};

export async function work(job: Job, tell: (told: Told) => void): Promise<void> {
  await measure(job, tell, startEngine(libraries));
}
