import { EngineError } from "../errors.ts";
import type { AdapterRequest, OpenedAdapter } from "../device/host.ts";
import { dawn, listDawnAdapters } from "./dawn.ts";
import { withoutDriverChatter } from "./driver_chatter.ts";
import { findChromiumPackage } from "./software/chromium_package.ts";
import { canRunSwiftShader, thisMachine } from "./machine.ts";
import { hasGpuDriver, loadVulkanLoader, withSwiftShader } from "./software/software_adapter.ts";

/** What `bark doctor` shows of an adapter. */
export interface AdapterDescription {
  name: string;
  vendor: string;
  architecture: string;
  /** `vulkan`, `metal`, `d3d12`, … (unknown in Deno). */
  backend: string;
  software: boolean;
  limits: Record<string, number>;
  features: string[];
}

interface Candidate {
  backend: string;
  name: string;
  open(): Promise<OpenedAdapter | undefined>;
}

/**
 * A fresh adapter. By default a GPU's, else an installed software adapter such as lavapipe, else SwiftShader;
 * `request.device` picks another by a part of its name. @throws EngineError `no-adapter`.
 */
export async function openDawnAdapter(request: AdapterRequest): Promise<OpenedAdapter> {
  if (request.device === "software") return await openSoftware();
  if (request.device !== undefined) return await openNamed(request.device);
  const best = await openDefault();
  if (best !== undefined && !best.adapter.info.isFallbackAdapter) return best;
  const candidates = best === undefined ? [] : await systemCandidates();
  // A single candidate is the adapter that was just opened.
  for (const candidate of candidates.length > 1 ? candidates : []) {
    const other = await candidate.open();
    if (other !== undefined && !other.adapter.info.isFallbackAdapter) return other;
  }
  const software = best ?? (await openSwiftShader());
  const name = software.adapter.info.description || software.adapter.info.device;
  return {
    ...software,
    notice: `no GPU driver found: using the software adapter ${name} (slow); \`bark doctor\` tells what to install`,
  };
}

/** Dawn's adapter that computes nothing: for compiling shaders and for the cost of encoding, never for results. */
export async function openNullAdapter(): Promise<OpenedAdapter> {
  const opened = await request(await dawn(["backend=null"]));
  if (opened === undefined) throw new EngineError("no-adapter", "Dawn has no null backend");
  return opened;
}

/** Every adapter that can be opened here, GPUs first. */
export async function listDawnAdapterDescriptions(): Promise<AdapterDescription[]> {
  const described: AdapterDescription[] = [];
  for (const candidate of await allCandidates()) {
    const opened = await candidate.open();
    if (opened !== undefined) described.push(describe(opened.adapter, candidate));
  }
  return described.sort((a, b) => Number(a.software) - Number(b.software));
}

export function describe(adapter: GPUAdapter, known: { backend: string; name: string }): AdapterDescription {
  const limits: Record<string, number> = {};
  for (const key in adapter.limits) {
    const value: unknown = Reflect.get(adapter.limits, key);
    if (typeof value === "number") limits[key] = value;
  }
  return {
    name: known.name,
    vendor: adapter.info.vendor,
    architecture: adapter.info.architecture,
    backend: known.backend,
    software: adapter.info.isFallbackAdapter,
    limits,
    features: Array.from(adapter.features as ReadonlySet<string>).sort(),
  };
}

async function request(gpu: GPU): Promise<OpenedAdapter | undefined> {
  const adapter = await withoutDriverChatter(() => gpu.requestAdapter({ powerPreference: "high-performance" }));
  return adapter === null ? undefined : { adapter, owner: gpu };
}

async function openDefault(): Promise<OpenedAdapter | undefined> {
  if (!hasGpuDriver()) return undefined;
  await loadVulkanLoader();
  return await request(await dawn([]));
}

async function openSwiftShader(): Promise<OpenedAdapter> {
  const opened = await withSwiftShader(async () => request(await dawn(["backend=vulkan"], "swiftshader")));
  if (opened === undefined) throw new EngineError("no-adapter", "the software adapter SwiftShader does not start");
  return opened;
}

async function openSoftware(): Promise<OpenedAdapter> {
  for (const candidate of await systemCandidates()) {
    const opened = await candidate.open();
    if (opened?.adapter.info.isFallbackAdapter) return opened;
  }
  return await openSwiftShader();
}

async function openNamed(device: string): Promise<OpenedAdapter> {
  const candidates = await allCandidates();
  const wanted = device.toLowerCase();
  const found = candidates.find(({ name }) => name.toLowerCase().includes(wanted));
  const opened = await found?.open();
  if (opened !== undefined) return opened;
  const names = candidates.map(({ name }) => `"${name}"`).join(", ") || "no adapter at all";
  throw new EngineError("no-adapter", "no adapter of this name", {
    where: "device",
    expected: device,
    actual: names,
    fix: 'give part of the name of one that there is, or "software"',
  });
}

async function allCandidates(): Promise<Candidate[]> {
  return [...(await systemCandidates()), ...(await swiftShaderCandidates())];
}

async function systemCandidates(): Promise<Candidate[]> {
  if (!hasGpuDriver()) return [];
  await loadVulkanLoader();
  const listed = await listDawnAdapters();
  return listed.map(({ backend, name }) => ({
    backend,
    name,
    open: async () => request(await dawn([`backend=${backend}`, `adapter=${name}`])),
  }));
}

async function swiftShaderCandidates(): Promise<Candidate[]> {
  if (findChromiumPackage() === undefined || !canRunSwiftShader(thisMachine())) return [];
  const listed = await withSwiftShader(() => listDawnAdapters("swiftshader"));
  return listed.map(({ backend, name }) => ({ backend, name, open: openSwiftShader }));
}
