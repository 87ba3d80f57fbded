import { didYouMean } from "../check/nearest_name.ts";
import { EngineError } from "../errors.ts";
import { withoutDriverChatter } from "./driver_chatter.ts";
import { adapterAdvice, hasWebGpuBinary, thisMachine, type Machine } from "./machine.ts";

// Collecting an object that `create()` returned while one of its devices lives ends the process at random (segfault,
// abort or hang), so none of them is ever let go.
const instances = new Map<string, GPU>();

const off = [
  // Dawn rounds timestamps to 65,536 ns otherwise, which is longer than most kernels run.
  "timestamp_quantization",
  // Without it a loop in the shader zeroes workgroup memory. SwiftShader has the extension, but compiles the zeros one by
  // one (0.9 s for 8 KiB) and runs them one by one in every workgroup.
  "use_vulkan_zero_initialize_workgroup_memory_extension",
];
// Off: Dawn's clamping of every index, which a page needs against shaders of strangers. Ours keep their loads in bounds
// (Deno and Chromium clamp and compute the same). Clamping costs SwiftShader 1.3 to 1.5×, an H100 1.1×.
const on = ["disable_robustness"];
// What a user may turn on besides: subgroup matrices are behind the first, f16 on NVIDIA behind the second. Any other name is
// refused, because Dawn says nothing of one that it does not know.
const offered = ["allow_unsafe_apis", "vulkan_enable_f16_on_nvidia"];

/** The value of `BARK_DAWN_FEATURES`: names with commas between. @throws EngineError `usage`. */
export function parseDawnFeatures(text: string | undefined): string[] {
  const names = text === undefined || text === "" ? [] : text.split(",");
  const unknown = names.find((name) => !offered.includes(name));
  if (unknown === undefined) return names;
  throw new EngineError("usage", "no such feature of Dawn", {
    where: "BARK_DAWN_FEATURES",
    expected: offered.join(", "),
    actual: unknown,
    fix: didYouMean(unknown, offered) ?? "name one of these",
  });
}

/** The option that turns on Dawn's features: ours, which a second option of this name would replace, the user's, and `more`. */
export function enabling(...more: string[]): string {
  const given = parseDawnFeatures(process.env["BARK_DAWN_FEATURES"]);
  return `enable-dawn-features=${[...on, ...given, ...more].join(",")}`;
}

/**
 * Dawn's GPU object for these options (`backend=…`, `adapter=…`), the same one each time. `world` tells apart the sets
 * of Vulkan drivers under which it was made. @throws EngineError `no-adapter` if the npm package cannot be loaded.
 */
export async function dawn(options: readonly string[], world = ""): Promise<GPU> {
  const key = JSON.stringify([world, ...options]);
  const known = instances.get(key);
  if (known !== undefined) return known;
  const webgpu = await loadPackage();
  const gpu = webgpu.create([`disable-dawn-features=${off.join(",")}`, enabling(), ...options]);
  instances.set(key, gpu);
  return gpu;
}

export interface DawnAdapterName {
  backend: string;
  name: string;
}

/** The adapters that Dawn knows. It lists them only in the error for an unknown name. */
export async function listDawnAdapters(world = ""): Promise<DawnAdapterName[]> {
  const gpu = await dawn(["adapter=no adapter has this name"], world);
  try {
    await withoutDriverChatter(() => gpu.requestAdapter());
    return [];
  } catch (error) {
    const lines = String(error).matchAll(/backend: '(.*?)', name: '(.*)'/g);
    return Array.from(lines, ([, backend, name]) => ({ backend, name })).filter(({ backend }) => backend !== "null");
  }
}

async function loadPackage(): Promise<typeof import("webgpu")> {
  try {
    const webgpu = await import("webgpu");
    Object.assign(globalThis, webgpu.globals);
    return webgpu;
  } catch (error) {
    throw loadError(error as NodeJS.ErrnoException, thisMachine());
  }
}

/** Why the package cannot be loaded, and what helps on this machine. */
export function loadError(error: NodeJS.ErrnoException, machine: Machine): EngineError {
  const isMissing = error.code === "ERR_MODULE_NOT_FOUND";
  const fix = !hasWebGpuBinary(machine)
    ? adapterAdvice(machine).join("; ")
    : isMissing
      ? "run: npm install webgpu"
      : "install it again: rm -r node_modules/webgpu && npm install webgpu" +
        (machine.platform === "linux" ? "; it needs glibc 2.34 or later (Debian 12, Ubuntu 22.04)" : "");
  return new EngineError("no-adapter", "WebGPU for Node (the npm package webgpu) cannot be loaded", {
    expected: "webgpu",
    actual: error.message,
    fix,
    cause: error,
  });
}
