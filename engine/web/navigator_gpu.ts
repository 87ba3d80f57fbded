import { EngineError } from "../errors.ts";
import type { AdapterRequest, OpenedAdapter } from "../device/host.ts";

/**
 * An adapter of the runtime's own `navigator.gpu` (browsers, Deno). @param fixWhenNone advice for a runtime without one.
 * @throws EngineError `no-adapter`.
 */
export async function openNavigatorAdapter(request: AdapterRequest, fixWhenNone: string): Promise<OpenedAdapter> {
  const gpu = (globalThis.navigator as Navigator | undefined)?.gpu;
  // Even the newest browser hides `gpu` from a page that came by http:// from another machine.
  if (gpu === undefined && globalThis.isSecureContext === false)
    throw new EngineError("no-adapter", "a page has no WebGPU unless its context is secure", {
      where: globalThis.location?.origin,
      fix: "serve it by https://, or open it as http://localhost",
    });
  if (gpu === undefined) throw new EngineError("no-adapter", "this runtime has no WebGPU", { fix: fixWhenNone });
  const software = request.device === "software";
  const adapter = software
    ? ((await gpu.requestAdapter({ forceFallbackAdapter: true })) ?? (await fallbackByDefault(gpu)))
    : await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null)
    throw new EngineError("no-adapter", software ? "there is no software adapter" : "there is no WebGPU adapter", {
      fix: fixWhenNone,
    });
  if ((adapter.info as GPUAdapterInfo | undefined) === undefined)
    throw new EngineError("no-adapter", "the WebGPU of this runtime is too old: it has no adapter.info", {
      fix: fixWhenNone,
    });
  if (request.device !== undefined && !software) requireName(adapter, request.device);
  return { adapter, owner: gpu };
}

// Some runtimes refuse `forceFallbackAdapter` although the only adapter they have is a fallback.
async function fallbackByDefault(gpu: GPU): Promise<GPUAdapter | null> {
  const adapter = await gpu.requestAdapter();
  return adapter?.info.isFallbackAdapter ? adapter : null;
}

function requireName(adapter: GPUAdapter, wanted: string): void {
  const { description, device, vendor, architecture } = adapter.info;
  const name = [description, device, vendor, architecture].filter((part) => part !== "").join(", ");
  if (name.toLowerCase().includes(wanted.toLowerCase())) return;
  throw new EngineError("no-adapter", "no adapter of this name", {
    where: "device",
    expected: wanted,
    actual: name,
    fix: 'give part of the name of the adapter that there is, or "software"',
  });
}
