import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { EngineError } from "../errors.ts";
import type { AdapterRequest, GpuHost, OpenedAdapter } from "../device/host.ts";
import { fetchText } from "../web/fetch_text.ts";
import { openNavigatorAdapter } from "../web/navigator_gpu.ts";
import { describe, listDawnAdapterDescriptions, openDawnAdapter, type AdapterDescription } from "./adapters.ts";
import { parseVersions } from "./forced_versions.ts";
import { adapterAdvice, thisMachine } from "./machine.ts";
import { restingWait } from "./resting_wait.ts";

const isDeno = "Deno" in globalThis;

/** The engine in Node (Dawn, the npm package `webgpu`) and in Deno (its own WebGPU). */
export const nodeGpuHost: GpuHost = {
  runtime: isDeno ? "deno" : "node",
  openAdapter,
  versions: () => parseVersions(process.env["BARK_KERNELS"]),
  // Deno does not wait in the event loop.
  ...(isDeno ? {} : { wait: restingWait }),
  readText,
};

/** Every adapter that can be opened here, GPUs first. */
export async function listAdapters(): Promise<AdapterDescription[]> {
  return isDeno ? await listDenoAdapters() : await listDawnAdapterDescriptions();
}

async function openAdapter(request: AdapterRequest): Promise<OpenedAdapter> {
  const device = request.device ?? (process.env["BARK_DEVICE"] || undefined);
  const preset = device === undefined ? {} : { device };
  if (isDeno && process.env["BARK_DAWN_FEATURES"])
    throw new EngineError("usage", "Deno's WebGPU is not Dawn", {
      where: "BARK_DAWN_FEATURES",
      fix: "leave it out, or use Node",
    });
  return isDeno
    ? await openNavigatorAdapter(preset, adapterAdvice(thisMachine()).join("; "))
    : await openDawnAdapter(preset);
}

async function listDenoAdapters(): Promise<AdapterDescription[]> {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  return adapter === null ? [] : [describe(adapter, { backend: "deno", name: adapter.info.description })];
}

async function readText(url: URL): Promise<string> {
  if (url.protocol !== "file:") return await fetchText(url);
  return await readFile(fileURLToPath(url), "utf8").catch((cause: unknown) => {
    const fix = "install the package again: its files belong together";
    throw new EngineError("io", `cannot be read: ${(cause as Error).message}`, { where: url.href, fix, cause });
  });
}
