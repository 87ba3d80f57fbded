import { findChromiumPackage } from "./software/chromium_package.ts";

/** What decides which adapters there can be. */
export interface Machine {
  /** As in `process`. */
  platform: string;
  arch: string;
  /** Linux with another C library than glibc, such as Alpine. */
  isMusl: boolean;
  isDeno: boolean;
}

/** For which platforms the npm package `webgpu` has a binary; those for Linux need glibc 2.34. */
const binaries = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "win32-x64", "win32-arm64"];
const chromium = "@sparticuz/chromium@147.0.0";

export function thisMachine(): Machine {
  const { platform, arch } = process;
  const isDeno = "Deno" in globalThis;
  return { platform, arch, isDeno, isMusl: platform === "linux" && !isDeno && glibcVersion() === undefined };
}

function glibcVersion(): string | undefined {
  const report = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  return report.header.glibcVersionRuntime;
}

export function hasWebGpuBinary({ platform, arch, isMusl }: Machine): boolean {
  return binaries.includes(`${platform}-${arch}`) && !isMusl;
}

/** Whether the SwiftShader of the npm package `@sparticuz/chromium` runs here, once that is installed. */
export function canRunSwiftShader({ platform, arch, isMusl }: Machine): boolean {
  return platform === "linux" && arch === "x64" && !isMusl;
}

/** How to get an adapter, or a faster one, on this machine: one way a line. */
export function adapterAdvice(machine: Machine, hasChromium = findChromiumPackage() !== undefined): string[] {
  const { platform, arch, isMusl, isDeno } = machine;
  if (isMusl)
    return [
      "the npm package webgpu needs glibc, which Alpine and other systems with musl do not have: " +
        "use an image with glibc, such as node:22-slim in place of node:22-alpine",
    ];
  if (!isDeno && !hasWebGpuBinary(machine))
    return [
      `the npm package webgpu has no binary for ${platform} on ${arch}, but for Linux, macOS and Windows on x64 and ` +
        "arm64: use one of these, or a page in a browser with WebGPU",
    ];
  if (platform === "darwin")
    return ["Metal is a part of macOS: where there is none, as in some virtual machines, run it outside of that"];
  if (platform === "win32")
    return [
      "install the driver of the GPU from its maker; without a GPU, Direct3D 12 of Windows 10 or later stands in",
    ];
  return [
    "a GPU: install its Vulkan driver (AMD, Intel: mesa-vulkan-drivers; NVIDIA: its own driver) and libvulkan1",
    "no GPU: install lavapipe of Mesa 25 or later (Debian 13, Ubuntu 25.04: apt install mesa-vulkan-drivers libvulkan1; " +
      "Debian 12: the same with -t bookworm-backports)",
    ...(canRunSwiftShader(machine) && !isDeno && !hasChromium
      ? [`or SwiftShader, a third as fast: npm install ${chromium}, in the project that has bark-webgpu`]
      : []),
  ];
}
