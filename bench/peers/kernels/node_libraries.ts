import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { getGpuHost } from "../../../engine/device/host.ts";
import type { Jax } from "../engines/jaxjs.ts";
import type { Tf } from "../engines/tfjs.ts";
import type { Libraries, Ort } from "./libraries.ts";

const installed = fileURLToPath(new URL("../node_modules", import.meta.url));

/** The libraries in Node. @param device part of the adapter's name. */
export function nodeLibraries(device: string | undefined): Libraries {
  return { openAdapter: adapterOf(device), ort: loadOrt, jax: loadJax, tf: () => Promise.resolve(loadTf()) };
}

export function adapterOf(device: string | undefined): () => Promise<GPUAdapter> {
  return async () => (await getGpuHost().openAdapter(device === undefined ? {} : { device })).adapter;
}

async function loadOrt(): Promise<Ort> {
  const dist = path.join(installed, "onnxruntime-web/dist");
  const ort = (await import(pathToFileURL(path.join(dist, "ort.webgpu.bundle.min.mjs")).href)) as Ort;
  const wasm = await readFile(path.join(dist, "ort-wasm-simd-threaded.asyncify.wasm"));
  Object.assign(ort.env.wasm, { wasmPaths: `${pathToFileURL(dist).href}/`, wasmBinary: wasm.buffer, numThreads: 1 });
  return ort;
}

async function loadJax(): Promise<Jax> {
  return (await import(pathToFileURL(path.join(installed, "@jax-js/jax/dist/index.js")).href)) as Jax;
}

function loadTf(): Tf {
  const require = createRequire(path.join(installed, "x"));
  const tf = require("@tensorflow/tfjs-core") as Tf;
  require("@tensorflow/tfjs-backend-cpu");
  require("@tensorflow/tfjs-backend-webgpu");
  return tf;
}
